"""Which answer an action is due to.

The rule: what names its answer is due to that answer. Anything else is due to the last answer
that showed this item to this user, at most ``window`` before; to none where there is none. An
answer of the very moment counts, one that came later does not. Of answers of the same moment it
is the one with the largest id, as text, so that every run says the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple


class Exposure(NamedTuple):
    """An item in an answer."""

    request_id: str
    user_id: str
    item_id: str
    shown_at: datetime


class Action(NamedTuple):
    """What a user did with an item: a posted event, or an interaction that the host's own views wrote."""

    user_id: str
    item_id: str
    at: datetime
    request_id: str | None = None  # the answer it names


def attribute(actions: Iterable[Action], exposures: Iterable[Exposure], window: timedelta) -> list[str | None]:
    """Return for each action the id of the answer that it is due to, or None.

    Args:
        exposures: in any order; those of other users and items change nothing.
        window: how long an item that was shown is remembered; its last moment is included.
    """
    shown: defaultdict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
    for exposure in exposures:
        shown[exposure.user_id, exposure.item_id].append((exposure.shown_at, exposure.request_id))
    for moments in shown.values():
        moments.sort()
    return [
        action.request_id or _last(shown.get((action.user_id, action.item_id)), action.at, window) for action in actions
    ]


def _last(moments: list[tuple[datetime, str]] | None, at: datetime, window: timedelta) -> str | None:
    """Return the last answer up to ``at``; ``moments`` are sorted."""
    place = bisect_right(moments or [], at, key=lambda moment: moment[0])
    if not moments or not place:
        return None
    shown_at, request_id = moments[place - 1]
    return request_id if at - shown_at <= window else None
