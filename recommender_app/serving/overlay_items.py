"""The items that are laid over a release: new or changed since its engines were trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from scipy import sparse

from recommender_app.dataset.features import Features
from recommender_app.engines.base import Rows, Scores
from recommender_app.engines.batch import RequestBatch


@runtime_checkable
class Encoder(Protocol):
    """An engine that scores items it was not trained on, by their features.

    What ``encode_items`` returns has one row per item; ``score_encoded`` answers NaN for those
    that it has nothing new to say about.
    """

    def encode_items(self, features: Features, rows: Rows | None = None) -> Any:
        """Return n encoded items; ``rows`` are the engine's own of those that it knows, -1 = new."""

    def score_encoded(self, batch: RequestBatch, encoded: Any) -> Scores:
        """Return (b, n) scores of encoded items, comparable with those of ``score``."""

    def score_both(self, batch: RequestBatch, items: Rows, encoded: Any) -> tuple[Scores, Scores]:
        """Return ``score`` of rows and ``score_encoded``."""


@dataclass(frozen=True)
class LaidItems:
    """One state of the overlay; never changed, only replaced.

    Attributes:
        ids: external ids, position = row.
        stamps: when each was changed, microseconds since 1970 UTC.
        encoded: {engine key: what its ``encode_items`` returned}, rows as in ``ids``.
    """

    ids: tuple[Any, ...] = ()
    stamps: tuple[int, ...] = ()
    encoded: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def row_of(self) -> dict[Any, int]:
        """{external id: row}."""
        return {item_id: row for row, item_id in enumerate(self.ids)}

    def updated(self, changed: Mapping[Any, int], encoded: Mapping[str, Any], most: int) -> LaidItems:
        """Return the items with others added or replaced: {id: stamp} in the order of ``encoded``.

        Of more than ``most``, the newest stay.
        """
        kept = [row for row, item_id in enumerate(self.ids) if item_id not in changed]
        ids = [*(self.ids[row] for row in kept), *changed]
        stamps = [*(self.stamps[row] for row in kept), *changed.values()]
        both = {key: _stacked(self.encoded.get(key), kept, new) for key, new in encoded.items()}
        if len(ids) > most:
            order = sorted(range(len(ids)), key=lambda row: (stamps[row], ids[row]))[-most:]
            ids, stamps = [ids[row] for row in order], [stamps[row] for row in order]
            both = {key: rows[order] for key, rows in both.items()}
        return LaidItems(tuple(ids), tuple(stamps), both)


def _stacked(old: Any, kept: list[int], new: Any) -> Any:
    if old is None or not kept:
        return new
    if sparse.issparse(new):
        return sparse.vstack([old[kept], new], format="csr")
    return np.concatenate((old[kept], new))
