"""Which interactions and users of a snapshot enter a dataset, and with which weight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.blocks import ROWS_PER_BLOCK
from recommender_app.dataset.decay import decay
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import MICROSECONDS_PER_DAY, InteractionTable
from recommender_app.training.export_collected import Collected


def with_active_users(collected: Collected, min_interactions: int) -> Collected:
    """Keep users with at least ``min_interactions`` distinct (item, event) pairs; items stay."""
    table = collected.interactions
    if min_interactions <= 1:  # a user is there because of an interaction
        return collected
    is_kept = _interaction_counts(collected) >= min_interactions
    if is_kept.all():
        return collected
    new_rows = (np.cumsum(is_kept) - 1).astype(np.int32)
    table = table.select(is_kept[table.user_rows])
    users = IdMap(collected.users.kind, collected.users.keys[is_kept])
    return Collected(users, collected.items, replace(table, user_rows=new_rows[table.user_rows]))


def with_decay(table: InteractionTable, half_life_days: float | None, until: int | None) -> InteractionTable:
    """Return the interactions with weights halved per half-life before ``until``, or before the newest one.

    Args:
        until: microseconds since 1970 UTC.
    """
    if half_life_days is None or not len(table):
        return table
    newest = int(table.times.max()) if until is None else until
    weights = np.empty_like(table.weights)
    for start in range(0, len(table), ROWS_PER_BLOCK):
        block = slice(start, start + ROWS_PER_BLOCK)
        ages = (newest - table.times[block]) / MICROSECONDS_PER_DAY
        weights[block] = table.weights[block] * decay(ages, half_life_days)
    return replace(table, weights=weights)


def _interaction_counts(collected: Collected) -> NDArray[np.intp]:
    """(n_users,) distinct (item, event) pairs."""
    table = collected.interactions
    met = (table.user_rows.astype(np.int64) * len(collected.items) + table.item_rows) * 256 + table.events
    users = np.unique(met) // (256 * max(len(collected.items), 1))
    return np.bincount(users, minlength=len(collected.users))
