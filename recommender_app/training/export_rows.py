"""Interactions of a use case, collected chunk by chunk: as columns from PostgreSQL, as rows from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import InteractionTable
from recommender_app.trainers.base import Progress
from recommender_app.training.export_collected import Collected, interaction_weights
from recommender_app.training.export_columns import collect_columns
from recommender_app.usecases.columns import column_queries
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


def collect_interactions(use_case: UseCase, window: Window, chunk_size: int, progress: Progress) -> Collected:
    """Read all interactions of a window, and the keys of all items that exist.

    As columns where the database and the keys allow it, else row by row; to the same bytes.

    Raises:
        DatasetError: a weight is not finite or too large, or ids are of several kinds.
    """
    total = count_rows(use_case, window)
    queries = column_queries(use_case, window)
    if queries is not None:
        return collect_columns(use_case, queries, total, chunk_size, progress)
    return collect_rows(use_case, window, total, chunk_size, progress)


def collect_rows(use_case: UseCase, window: Window, total: int, chunk_size: int, progress: Progress) -> Collected:
    """Do so on every database and with every kind of key; raises like ``collect_interactions``."""
    users, items, done = KeyCodes(), KeyCodes(), 0
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
        interaction_weights(use_case, events, strengths),
        np.array([microseconds(row[4]) for row in rows], dtype=np.int64),
        names,
    )


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
