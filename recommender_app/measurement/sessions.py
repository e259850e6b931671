"""Visits: what a user does without a pause of half an hour.

A visit begins with whatever the user did first (an answer, a posted event, an interaction of the
host), and counts for the group that gave its first answer. One without an answer is nobody's
work and is left out. It belongs to the day on which it began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

GAP = timedelta(minutes=30)
FOLLOWED = timedelta(hours=2)  # how far past midnight a visit is followed

_moment = itemgetter(0)


class Session(NamedTuple):
    """One visit.

    Attributes:
        began_at: its first action.
        seconds: from the first action to the last; 0 for a single one.
        group: what gave its first answer.
    """

    began_at: datetime
    seconds: float
    group: Any


def sessions_of(activity: Iterable[tuple[datetime, Any]], gap: timedelta = GAP) -> Iterator[Session]:
    """Yield the visits of one user in which there was an answer.

    Args:
        activity: (moment, group of the answer or None for other actions), in any order.
    """
    acts = sorted(activity, key=_moment)
    if not acts:
        return
    began_at, group = acts[0]
    last = began_at
    for moment, of_answer in acts[1:]:
        if moment - last > gap:
            if group is not None:
                yield Session(began_at, (last - began_at).total_seconds(), group)
            began_at, group = moment, of_answer
        elif group is None:
            group = of_answer
        last = moment
    if group is not None:
        yield Session(began_at, (last - began_at).total_seconds(), group)
