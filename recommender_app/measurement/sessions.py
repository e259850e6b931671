"""Visits: what a user does without a pause of half an hour.

A visit begins with whatever the user did first (an answer, a posted event, an interaction of the
host), and counts for the group that gave its first answer. One without an answer is nobody's
work and is left out. It belongs to the day on which it began.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

GAP = timedelta(minutes=30)
FOLLOWED = timedelta(hours=2)  # how far past midnight a visit is followed


@dataclass(frozen=True)
class Session:
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
    visit: list[tuple[datetime, Any]] = []
    for moment, group in sorted(activity, key=lambda action: action[0]):
        if visit and moment - visit[-1][0] > gap:
            yield from _session(visit)
            visit = []
        visit.append((moment, group))
    yield from _session(visit)


def _session(visit: list[tuple[datetime, Any]]) -> Iterator[Session]:
    group = next((group for _, group in visit if group is not None), None)
    if group is not None:
        first, last = visit[0][0], visit[-1][0]
        yield Session(first, (last - first).total_seconds(), group)
