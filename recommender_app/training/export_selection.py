"""Which interactions and users of a snapshot enter a dataset, and with which weight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.blocks import ROWS_PER_BLOCK
from recommender_app.dataset.decay import decay
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import MICROSECONDS_PER_DAY, InteractionTable
from recommender_app.registry.tombstones import Tombstones
from recommender_app.training.export_collected import Collected
from recommender_app.usecases.declaration import UseCase


def with_active_users(collected: Collected, min_interactions: int) -> Collected:
    """Keep users with at least ``min_interactions`` distinct (item, event) pairs; items stay."""
    if min_interactions <= 1:  # a user is there because of an interaction
        return collected
    is_kept = _interaction_counts(collected) >= min_interactions
    return collected if is_kept.all() else with_users(collected, is_kept)


def without_forgotten(use_case: UseCase, collected: Collected, tombstones: Tombstones) -> Collected:
    """Leave out who is forgotten, as a user and, where people are recommended, as an item.

    One hash per distinct id, none where nobody is forgotten.

    Raises:
        ConfigurationError: some tombstones cannot be compared with ids.
    """
    tombstones.check_complete()
    if not tombstones:
        return collected
    is_gone = tombstones.mask(use_case.users, collected.users.every_id())
    if is_gone.any():
        collected = with_users(collected, ~is_gone)
    is_gone = tombstones.mask(use_case.items, collected.items.every_id())
    return _with_items(collected, ~is_gone) if is_gone.any() else collected


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


def with_users(collected: Collected, is_kept: NDArray[np.bool_]) -> Collected:
    """Keep the users that an (n_users,) mask chooses; items stay."""
    table = collected.interactions.select(is_kept[collected.interactions.user_rows])
    users = IdMap(collected.users.kind, collected.users.keys[is_kept])
    return Collected(users, collected.items, replace(table, user_rows=_new_rows(is_kept)[table.user_rows]))


def _with_items(collected: Collected, is_kept: NDArray[np.bool_]) -> Collected:
    """Keep some items; a user who met no other goes too."""
    table = collected.interactions.select(is_kept[collected.interactions.item_rows])
    items = IdMap(collected.items.kind, collected.items.keys[is_kept])
    kept = Collected(collected.users, items, replace(table, item_rows=_new_rows(is_kept)[table.item_rows]))
    has_rows = np.bincount(table.user_rows, minlength=len(collected.users)) > 0
    return kept if has_rows.all() else with_users(kept, has_rows)


def _new_rows(is_kept: NDArray[np.bool_]) -> NDArray[np.int32]:
    return (np.cumsum(is_kept) - 1).astype(np.int32)


def _interaction_counts(collected: Collected) -> NDArray[np.intp]:
    """(n_users,) distinct (item, event) pairs."""
    table = collected.interactions
    met = (table.user_rows.astype(np.int64) * len(collected.items) + table.item_rows) * 256 + table.events
    users = np.unique(met) // (256 * max(len(collected.items), 1))
    return np.bincount(users, minlength=len(collected.users))
