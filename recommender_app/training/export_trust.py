"""Whose interactions teach, and how many of them: so that a crowd of fresh accounts, or a busy one, moves nothing."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from recommender_app.conf import settings
from recommender_app.dataset.blocks import ROWS_PER_BLOCK
from recommender_app.dataset.interactions import MICROSECONDS_PER_DAY
from recommender_app.training.export_collected import Collected
from recommender_app.training.export_selection import with_users
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.exporting import read_young_users

N_PARTS = 16  # a part is never less than ROWS_PER_BLOCK

logger = logging.getLogger(__name__)


def with_trusted(use_case: UseCase, collected: Collected, until: datetime | None, chunk_size: int) -> Collected:
    """Leave out what must not teach: young accounts, users of too few items, and what is above a day's cap.

    Users lose nothing by it: their own history is read at request time, whatever is trained. Items stay.

    Args:
        until: the moment at which accounts are as old as they are; now if None.
    """
    kept = _without_young(use_case, collected, until or datetime.now(UTC), chunk_size)
    kept = with_daily_cap(kept, daily_cap(use_case))
    kept = with_varied_users(kept, settings.MIN_DISTINCT_ITEMS)
    n_users, n_rows = (len(collected.users) - len(kept.users), len(collected.interactions) - len(kept.interactions))
    if n_rows:
        logger.info("%s learns without %s users and %s interactions (trust).", use_case.key, n_users, n_rows)
    return kept


def daily_cap(use_case: UseCase) -> int:
    """Return how many interactions of a user and day count; 0 = all."""
    declared = use_case.max_events_per_user_day
    return int(settings.MAX_EVENTS_PER_USER_DAY if declared is None else declared)


def with_daily_cap(collected: Collected, most: int) -> Collected:
    """Keep the first ``most`` interactions of each user and day (UTC).

    Only the rows of users who have more than that at all are sorted, some users at a time.
    """
    table = collected.interactions
    if not most:
        return collected
    parts = _parts_of_busy(table.user_rows, len(collected.users), most)[table.user_rows]
    is_kept = np.ones(len(table), dtype=np.bool_)
    for part in range(1, int(parts.max(initial=0)) + 1):
        rows = np.flatnonzero(parts == part)
        rows = rows[np.lexsort((table.events[rows], table.item_rows[rows], table.times[rows], table.user_rows[rows]))]
        is_kept[rows[_places(table.user_rows[rows], table.times[rows] // MICROSECONDS_PER_DAY) >= most]] = False
    return collected if is_kept.all() else replace(collected, interactions=table.select(is_kept))


def with_varied_users(collected: Collected, least: int) -> Collected:
    """Keep users who have met at least ``least`` different items."""
    if least <= 1:  # a user is there because of an interaction
        return collected
    table, n_items = collected.interactions, max(len(collected.items), 1)
    pairs = np.unique(table.user_rows.astype(np.int64) * n_items + table.item_rows)
    is_kept = np.bincount(pairs // n_items, minlength=len(collected.users)) >= least
    return collected if is_kept.all() else with_users(collected, is_kept)


def _without_young(use_case: UseCase, collected: Collected, now: datetime, chunk_size: int) -> Collected:
    """Leave out users who joined less than MIN_ACCOUNT_AGE_DAYS ago, in one query."""
    if use_case.joined_at is None or not settings.MIN_ACCOUNT_AGE_DAYS:
        return collected
    is_kept = np.ones(len(collected.users), dtype=np.bool_)
    since = now - timedelta(days=settings.MIN_ACCOUNT_AGE_DAYS)
    for ids in read_young_users(use_case, since, chunk_size):
        rows = collected.users.rows(ids)
        is_kept[rows[rows >= 0]] = False
    return collected if is_kept.all() else with_users(collected, is_kept)


def _parts_of_busy(user_rows: NDArray[np.int32], n_users: int, most: int) -> NDArray[np.uint8]:
    """Return the (n_users,) part that each user with more than ``most`` rows belongs to, 1..17; 0 for the others."""
    counts = np.bincount(user_rows, minlength=n_users)
    counts[counts <= most] = 0
    size = max(ROWS_PER_BLOCK, -(-int(counts.sum()) // N_PARTS))
    parts = 1 + (np.cumsum(counts) - counts) // size
    return np.where(counts > 0, parts, 0).astype(np.uint8)


def _places(users: NDArray[np.int32], days: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the 0-based place of each row among those of its user and day; rows lie in that order."""
    is_first = np.ones(len(users), dtype=np.bool_)
    is_first[1:] = (users[1:] != users[:-1]) | (days[1:] != days[:-1])
    starts = np.flatnonzero(is_first)
    return np.arange(len(users)) - np.repeat(starts, np.diff(np.append(starts, len(users))))
