"""Item-based neighbours: what is similar to what was liked. The plain baseline every engine has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.engines.base import Engine, Rows, Scores, required_array, take_items
from recommender_app.engines.batch import RequestBatch
from recommender_app.engines.explanations import Evidence, from_history
from recommender_app.engines.top_k import top_k
from recommender_app.exceptions import EngineError


class ItemKNNEngine(Engine):
    """Scores an item by the sum of its similarities to the liked items of the history.

    Every liked item counts once, dislikes not at all. A user without a liked item that has
    neighbours, and an item that nobody liked in training, get no opinion.

    Args:
        similarities: (n_items, n_items) float32 CSR, row = item, stored = its neighbours, > 0.
        item_degrees: (n_items,) float32, users who liked each item in training.
    """

    key = "item_knn"
    uses_history = True
    has_similar_items = True
    has_explanations = True

    def __init__(self, similarities: sparse.csr_matrix, item_degrees: NDArray[np.float32]) -> None:
        self.similarities = similarities
        self.item_degrees = item_degrees

    @property
    def n_items(self) -> int:
        """Number of item rows the engine was trained on."""
        return len(self.item_degrees)

    def score(self, batch: RequestBatch, items: Rows | None = None) -> Scores:
        """Return (b, n_items) or (b, len(items)) float32 sums of similarities."""
        liked = batch.positive_history()
        liked.data = np.ones_like(liked.data)
        scores = np.asarray((liked @ self.similarities).todense(), dtype=np.float32)
        has_neighbours = np.diff(self.similarities.indptr).astype(np.float32)
        scores[liked @ has_neighbours == 0] = np.nan
        scores[:, self.item_degrees == 0] = np.nan
        return take_items(scores, items)

    def explain(self, batch: RequestBatch, item_rows: Rows, n: int) -> list[list[Evidence]]:
        """Return the liked items that are most similar to each item."""
        liked = batch.rows(0, 1).positive_history().indices
        parts = self.similarities[liked].toarray() if len(liked) else np.empty((0, self.n_items), dtype=np.float32)
        return from_history(liked, take_items(parts, item_rows), n)

    def similar(self, item_rows: Rows, k: int) -> tuple[Rows, Scores]:
        """Return the k nearest neighbours of each row; padding for rows outside."""
        rows = np.asarray(item_rows)
        scores = np.full((len(rows), self.n_items), np.nan, dtype=np.float32)
        for place in np.flatnonzero((rows >= 0) & (rows < self.n_items)):
            neighbours = self.similarities[[rows[place]]]
            scores[place, neighbours.indices] = neighbours.data
        return top_k(scores, k)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the parts of the similarities, and the degrees."""
        parts = {f"similarities_{part}": getattr(self.similarities, part) for part in ("data", "indices", "indptr")}
        return {**parts, "item_degrees": self.item_degrees}

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from ``state()``."""
        degrees = required_array(arrays, "item_degrees", 1)
        parts = tuple(required_array(arrays, f"similarities_{part}", 1) for part in ("data", "indices", "indptr"))
        try:
            similarities = sparse.csr_matrix(parts, shape=(len(degrees), len(degrees)), copy=False)
            similarities.check_format(full_check=True)
        except ValueError as error:
            raise EngineError(f"The item neighbours are damaged: {error}.") from error
        return cls(similarities, degrees)
