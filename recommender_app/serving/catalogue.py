"""One row space for all engines of a release: each was trained on another set of items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.ids import UNKNOWN_ROW, IdKind, IdMap

Rows = NDArray[np.int32]


@dataclass(frozen=True)
class Catalogue:
    """The items that any engine of a release knows.

    Attributes:
        items: external id <-> catalogue row, sorted.
        to_engine: per engine (n_catalogue,) int32, the engine's row of each item, -1 = unknown to it.
        from_engine: per engine (n_engine,) int32, the catalogue row of each of its rows.
    """

    items: IdMap
    to_engine: Mapping[str, Rows]
    from_engine: Mapping[str, Rows]

    @classmethod
    def of(cls, engine_items: Mapping[str, IdMap]) -> Catalogue:
        """Build from the id maps of the engines, all of one kind (see ``majority_kind``)."""
        kind = majority_kind(engine_items)
        keys = [items.keys for items in engine_items.values()]
        merged = IdMap(kind, np.unique(np.concatenate(keys))) if keys else IdMap.from_values([])
        from_engine = {engine: merged.rows_of_keys(items.keys) for engine, items in engine_items.items()}
        to_engine = {engine: _inverse(rows, len(merged)) for engine, rows in from_engine.items()}
        return cls(merged, to_engine, from_engine)

    def __len__(self) -> int:
        return len(self.items)

    def rows(self, ids: Sequence[Any]) -> Rows:
        """Return the catalogue rows of external ids, -1 = known to no engine."""
        return self.items.rows(ids)

    def engine_rows(self, engine: str, rows: Rows) -> Rows:
        """Return the engine's rows of catalogue rows, -1 for -1 and where the engine does not know the item."""
        found = np.full(len(rows), UNKNOWN_ROW, dtype=np.int32)
        is_known = rows >= 0
        found[is_known] = self.to_engine[engine][rows[is_known]]
        return found

    def with_all_items(self, engine: str) -> Catalogue:
        """Return the catalogue with one more engine, whose rows are the catalogue's own."""
        rows = np.arange(len(self), dtype=np.int32)
        return replace(self, to_engine={**self.to_engine, engine: rows}, from_engine={**self.from_engine, engine: rows})


def majority_kind(engine_items: Mapping[str, IdMap]) -> IdKind:
    """Return the kind of id that most engines have; ``str`` for none.

    A host that changed its key type keeps artifacts with the old one until they are retrained.
    """
    kinds = Counter(items.kind for items in engine_items.values())
    return kinds.most_common(1)[0][0] if kinds else "str"


def _inverse(rows: Rows, n: int) -> Rows:
    inverse = np.full(n, UNKNOWN_ROW, dtype=np.int32)
    inverse[rows] = np.arange(len(rows), dtype=np.int32)
    return inverse
