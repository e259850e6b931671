"""Items as a graph: a history is spread along its edges, so a fresh click counts at once."""

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

_TINY = 1e-12


class ItemGraphEngine(Engine):
    """Scores = history x pruned item-item weights, plus a low-pass part over spectral vectors.

    With spectral vectors both parts are standardised per user over all items before they are
    added: ``z(linear) + low_pass_share * z(low pass)`` (GF-CF, Shen et al., CIKM 2021, adds them
    unscaled). Every liked item of the history counts alike; dislikes are left out. A user whose
    history holds no liked item of the graph gets NaN, and so does an item that nobody liked.
    """

    key = "item_graph"
    uses_history = True
    has_similar_items = True
    has_explanations = True

    def __init__(
        self,
        weights: sparse.csr_matrix,
        spectral: NDArray[np.float32],
        input_scale: NDArray[np.float32],
        output_scale: NDArray[np.float32],
        low_pass_share: float,
    ) -> None:
        """Keep the graph.

        Args:
            weights: (n_items, n_items) float32 CSR, row = item of the history, column = scored item.
            spectral: (n_items, r) float32 right singular vectors; r = 0 switches the low-pass part off.
            input_scale: (n_items,) float32 factor of each history item in the low-pass part.
            output_scale: (n_items,) float32 factor of each scored item in the low-pass part; 0 =
                nobody liked the item: no opinion.
            low_pass_share: weight of the low-pass part.
        """
        self._weights = weights
        self._spectral = spectral
        self._input_scale = input_scale
        self._output_scale = output_scale
        self._low_pass_share = float(low_pass_share)

    @property
    def n_items(self) -> int:
        """Number of items in the graph."""
        return int(self._weights.shape[0])

    def score(self, batch: RequestBatch, items: Rows | None = None) -> Scores:
        """Return (b, n_items) or (b, len(items)) float32; NaN rows for users without a liked known item."""
        liked = self._known(batch.positive_history())
        scores = (liked @ self._weights).toarray()
        if self._spectral.shape[1]:
            scores = _standardised(scores)
            scores += self._low_pass_share * _standardised(self._low_pass(liked))
        scores[liked.getnnz(axis=1) == 0] = np.nan
        scores[:, self._output_scale == 0] = np.nan
        return take_items(scores, items)

    def explain(self, batch: RequestBatch, item_rows: Rows, n: int) -> list[list[Evidence]]:
        """Return the liked items with the heaviest edges to each item.

        The low-pass part, which every liked item enters through all others, explains those items
        that no edge leads to.
        """
        rows = np.asarray(item_rows)
        liked = self._known(batch.rows(0, 1).positive_history()).indices
        inside = np.where((rows >= 0) & (rows < self.n_items), rows, 0)
        edges = np.asarray(self._weights[liked][:, inside].toarray())
        waves = (self._spectral[liked] * self._input_scale[liked, np.newaxis]) @ self._spectral[inside].T
        waves = waves * self._output_scale[inside]
        parts = np.where((edges > 0).any(axis=0), edges, waves)
        return from_history(liked, np.where(inside == rows, parts, 0), n)

    def similar(self, item_rows: Rows, k: int) -> tuple[Rows, Scores]:
        """Return the heaviest neighbours of each row; rows outside the graph get padding.

        Negative weights speak against an item: they are no similarity.
        """
        item_rows = np.asarray(item_rows)
        inside = (item_rows >= 0) & (item_rows < self.n_items)
        scores = np.full((len(item_rows), self.n_items), np.nan, dtype=np.float32)
        for place in np.flatnonzero(inside):
            row = self._weights[[item_rows[place]]]
            is_like = (row.data > 0) & (row.indices != item_rows[place])
            scores[place, row.indices[is_like]] = row.data[is_like]
        return top_k(scores, k)

    def _known(self, liked: sparse.csr_matrix) -> sparse.csr_matrix:
        """Return the history with 1 for each item of the graph and nothing else."""
        liked.data = (self._output_scale[liked.indices] > 0).astype(np.float32)
        liked.eliminate_zeros()
        return liked

    def _low_pass(self, liked: sparse.csr_matrix) -> NDArray[np.float32]:
        """(b, n_items) float32: the history projected on the spectral vectors."""
        scaled = liked.copy()
        scaled.data *= self._input_scale[liked.indices]
        spectrum = scaled @ self._spectral
        projected: NDArray[np.float32] = spectrum @ self._spectral.T
        projected *= self._output_scale
        return projected

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of ``from_state``."""
        return {
            "weights_data": self._weights.data,
            "weights_indices": self._weights.indices,
            "weights_indptr": self._weights.indptr,
            "input_scale": self._input_scale,
            "spectral": self._spectral,
            "output_scale": self._output_scale,
            "low_pass_share": np.array(self._low_pass_share, dtype=np.float32),
        }

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild; see ``Engine.from_state``."""
        scale = required_array(arrays, "input_scale", 1)
        output_scale = required_array(arrays, "output_scale", 1)
        spectral = required_array(arrays, "spectral", 2)
        n = len(scale)
        if len(output_scale) != n or len(spectral) != n:
            raise EngineError("The item graph's arrays do not agree on the number of items.")
        share = float(required_array(arrays, "low_pass_share", 0))
        return cls(_checked_graph(arrays, n), spectral, scale, output_scale, share)


def _checked_graph(arrays: Mapping[str, NDArray[Any]], n: int) -> sparse.csr_matrix:
    parts = [required_array(arrays, f"weights_{part}", 1) for part in ("data", "indices", "indptr")]
    if len(parts[2]) != n + 1:
        raise EngineError(f"The item graph has {len(parts[2]) - 1} rows instead of {n}.")
    try:
        graph = sparse.csr_matrix(tuple(parts), shape=(n, n), copy=False)
        graph.check_format(full_check=True)
    except ValueError as error:
        raise EngineError(f"The item graph is damaged: {error}.") from error
    return graph


def _standardised(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each row with mean 0 and deviation 1, in place; a constant row becomes 0."""
    scores -= scores.mean(axis=1, keepdims=True)
    scores /= np.maximum(scores.std(axis=1, keepdims=True), _TINY)
    return scores
