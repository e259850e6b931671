"""The same list for everybody: most liked of all time, and most liked lately."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recommender_app.engines.base import Engine, Rows, Scores, required_array, take_items
from recommender_app.engines.batch import RequestBatch
from recommender_app.exceptions import EngineError


class PopularityEngine(Engine):
    """Scores an item by the number of users who interacted positively with it; 0 for nobody.

    Args:
        counts: (n_items,) float32 >= 0, distinct users per item.
    """

    key = "popular"
    covers_new_users = True

    def __init__(self, counts: NDArray[np.float32]) -> None:
        self.counts = counts

    @property
    def n_items(self) -> int:
        """Number of item rows the engine was trained on."""
        return len(self.counts)

    def score(self, batch: RequestBatch, items: Rows | None = None) -> Scores:
        """Return the items' scores, the same for each request: (b, n_items) or (b, len(items))."""
        scores = take_items(self._item_scores()[np.newaxis, :], items)
        return np.repeat(scores, len(batch), axis=0)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return ``counts``."""
        return {"counts": self.counts}

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from ``state()``."""
        return cls(required_array(arrays, "counts", 1))

    def _item_scores(self) -> NDArray[np.float32]:
        return np.asarray(self.counts, dtype=np.float32)


class TrendingEngine(PopularityEngine):
    """Popularity in the last days of the training data; no opinion on items nobody liked in them.

    Args:
        counts: (n_items,) float32 >= 0, distinct users per item inside the window.
        window_days: length of the window, for the record.
    """

    key = "trending"

    def __init__(self, counts: NDArray[np.float32], window_days: float) -> None:
        super().__init__(counts)
        self.window_days = window_days

    def state(self) -> dict[str, NDArray[Any]]:
        """Return ``counts`` and ``window_days``."""
        return {**super().state(), "window_days": np.array(self.window_days, dtype=np.float64)}

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from ``state()``."""
        window_days = float(required_array(arrays, "window_days", 0))
        if window_days <= 0:
            raise EngineError(f"window_days must be positive, not {window_days:g}.")
        return cls(required_array(arrays, "counts", 1), window_days)

    def _item_scores(self) -> NDArray[np.float32]:
        counts = super()._item_scores()
        return np.where(counts > 0, counts, np.float32(np.nan))
