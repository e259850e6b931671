"""Interactions of a use case as columns, collected chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import MAX_ABSOLUTE_WEIGHT, InteractionTable
from recommender_app.exceptions import DatasetError
from recommender_app.trainers.base import Progress
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.exporting import Window, count_rows, read_item_ids, read_rows
from recommender_app.usecases.rows import microseconds


@dataclass
class KeyCodes:
    """Numbers ids in the order they are met; memory grows with distinct ids, not with rows."""

    codes: dict[Any, int] = field(default_factory=dict)

    def encode(self, keys: Iterable[Any]) -> NDArray[np.int32]:
        """Return the number of every id; new ids get the next ones."""
        codes = self.codes
        return np.fromiter((codes.setdefault(key, len(codes)) for key in keys), dtype=np.int32)

    def into_rows(self) -> tuple[IdMap, NDArray[np.int32]]:
        """Return the sorted map of all ids and, per number, the row in it."""
        keys = list(self.codes)
        ids = IdMap.from_values(keys)
        return ids, ids.rows(keys)


@dataclass(frozen=True)
class Collected:
    """Row spaces and interactions of a use case, weights without decay."""

    users: IdMap
    items: IdMap
    interactions: InteractionTable


def collect_interactions(use_case: UseCase, window: Window, chunk_size: int, progress: Progress) -> Collected:
    """Read all interactions of a window, and the keys of all items that exist.

    Raises:
        DatasetError: a weight is not finite or too large, or ids are of several kinds.
    """
    users, items = KeyCodes(), KeyCodes()
    total, done = count_rows(use_case, window), 0
    chunks = []
    for rows in read_rows(use_case, window, chunk_size):
        chunks.append(_columns(use_case, rows, users, items))
        done += len(rows)
        progress(done, total, "interactions")
    for keys in read_item_ids(use_case, chunk_size):
        items.encode(keys)
    user_ids, user_rows = users.into_rows()
    item_ids, item_rows = items.into_rows()
    table = _join(chunks, tuple(use_case.weights))
    table = replace(table, user_rows=user_rows[table.user_rows], item_rows=item_rows[table.item_rows])
    return Collected(user_ids, item_ids, table)


def _columns(use_case: UseCase, rows: list[tuple[Any, ...]], users: KeyCodes, items: KeyCodes) -> InteractionTable:
    names = tuple(use_case.weights)
    codes = {name: code for code, name in enumerate(names)}
    # A case-insensitive collation may return "View" for "view": not an event of ours.
    rows = [row for row in rows if row[2] in codes]
    events = np.array([codes[row[2]] for row in rows], dtype=np.uint8)
    strengths = np.array([np.nan if row[3] is None else row[3] for row in rows], dtype=np.float64)
    return InteractionTable(
        users.encode(row[0] for row in rows),
        items.encode(row[1] for row in rows),
        events,
        _weights(use_case, events, strengths),
        np.array([microseconds(row[4]) for row in rows], dtype=np.int64),
        names,
    )


def _weights(use_case: UseCase, events: NDArray[np.uint8], strengths: NDArray[np.float64]) -> NDArray[np.float32]:
    of_events = np.array(list(use_case.weights.values()), dtype=np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        weights = of_events[events] * strengths
        bad = np.flatnonzero(~(np.abs(weights) <= MAX_ABSOLUTE_WEIGHT))
    if len(bad):
        code, strength = events[bad[0]], strengths[bad[0]]
        raise DatasetError(
            f"Use case {use_case.key!r}: an interaction {list(use_case.weights)[code]!r} has weight "
            f"{of_events[code]:g} x strength {strength:g}, which is not a finite number within "
            f"±{MAX_ABSOLUTE_WEIGHT:g}: correct the weights, the rows or the strength expression."
        )
    return weights.astype(np.float32)


def _join(chunks: list[InteractionTable], names: tuple[str, ...]) -> InteractionTable:
    nothing = np.empty(0)
    return InteractionTable(
        np.concatenate([nothing.astype(np.int32), *(chunk.user_rows for chunk in chunks)]),
        np.concatenate([nothing.astype(np.int32), *(chunk.item_rows for chunk in chunks)]),
        np.concatenate([nothing.astype(np.uint8), *(chunk.events for chunk in chunks)]),
        np.concatenate([nothing.astype(np.float32), *(chunk.weights for chunk in chunks)]),
        np.concatenate([nothing.astype(np.int64), *(chunk.times for chunk in chunks)]),
        names,
    )
