"""Engines that can propose through an index of their items' vectors."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recommender_app.engines.base import Engine
from recommender_app.engines.index import ItemIndex


class IndexedEngine(Engine):
    """Its ``candidates`` asks the index where it has one, which can miss an item, but not misjudge or misplace one."""

    index: ItemIndex | None = None  # over ``index_vectors``

    @abstractmethod
    def with_index(self, index: ItemIndex | None) -> Self:
        """Return the same engine with another index, or without."""

    @abstractmethod
    def index_vectors(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return (n_items, e) float32 vectors for an index and (n_items,) which of them belong in it."""

    @property
    def has_index(self) -> bool:
        """Whether ``candidates`` finds the best items without scoring all."""
        return self.index is not None
