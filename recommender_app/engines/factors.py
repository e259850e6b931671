"""Matrix factorisation at serve time: every user is folded in from the history, none is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from recommender_app.engines.base import Rows, Scores, required_array
from recommender_app.engines.batch import RequestBatch
from recommender_app.engines.confidence import Confidence
from recommender_app.engines.explanations import Evidence, from_history
from recommender_app.engines.index import ItemIndex
from recommender_app.engines.top_k import top_k
from recommender_app.engines.vector_engine import VectorEngine
from recommender_app.exceptions import EngineError


@dataclass(frozen=True)
class FactorEngine(VectorEngine):
    """Scores items by the inner product of their factors with the user's, popularity-boosted.

    The user's factors are the exact minimum of the ALS objective for the given history (Hu,
    Koren and Volinsky 2008, equation 4), so a new user or a click a second ago needs no training:

        x = (Y'Y + sum_i (c_i - 1) y_i y_i' + regularization I)^-1  sum_i c_i p_i y_i

    with confidence c_i = |w_i| and preference p_i = 1 for a liked, 0 for a disliked item, as
    ``implicit`` has it (the paper has c = 1 + alpha r). Users without anything liked, and items
    that nobody liked in training, get no opinion.

    Attributes:
        item_factors: (n_items, f) float32 Y.
        gramian: (f, f) float64 Y'Y.
        item_degrees: (n_items,) float32, users who liked each item in training.
        regularization: as in training.
        confidence: how a history weight becomes a confidence, as in training.
        popularity_exponent: scores are multiplied by ``item_degrees ** popularity_exponent``.
        index: see ``VectorEngine``.
    """

    item_factors: NDArray[np.float32]
    gramian: NDArray[np.float64]
    item_degrees: NDArray[np.float32]
    regularization: float
    confidence: Confidence
    popularity_exponent: float = 0.0
    index: ItemIndex | None = field(default=None, compare=False)

    key = "als"
    uses_history = True
    has_similar_items = True
    has_explanations = True

    @property
    def n_items(self) -> int:
        """Number of item rows the engine was trained on."""
        return len(self.item_factors)

    def score(self, batch: RequestBatch, items: Rows | None = None) -> Scores:
        """Return (b, n_items) or (b, len(items)) scores; rows of NaN for users who liked nothing."""
        users = self.query_vectors(batch)
        if items is None:
            return self.score_all(users)
        rows = np.asarray(items)
        inside = (rows >= 0) & (rows < self.n_items)
        scores = np.full((len(batch), len(rows)), np.nan, dtype=np.float32)
        scores[:, inside] = self.score_some(users, rows[inside])
        return scores

    def query_vectors(self, batch: RequestBatch) -> NDArray[np.float32]:
        """Return ``fold_in`` of the histories, computed once."""
        return batch.once(self, self._folded)

    def _folded(self, batch: RequestBatch) -> NDArray[np.float32]:
        return self._solved(batch.once(self, self._confidences))

    def _confidences(self, batch: RequestBatch) -> sparse.csr_matrix:
        return self.confidence.of(batch.history, self.item_degrees)

    def score_all(self, queries: NDArray[np.float32]) -> Scores:
        """Return (b, n_items) scores of (b, f) user factors."""
        scores: Scores = queries @ self.item_factors.T
        if self._boost is not None:
            scores *= self._boost
        return scores

    def score_some(self, queries: NDArray[np.float32], rows: Rows) -> Scores:
        """Return (b, len(rows)) scores of (b, f) user factors."""
        scores: Scores = queries @ self.item_factors[rows].T
        return scores if self._boost is None else scores * self._boost[rows]

    def index_vectors(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the factors, boosted, and which items somebody liked in training."""
        if self._boost is None:
            return self.item_factors, np.ones(self.n_items, dtype=bool)
        is_liked = self.item_degrees > 0
        return self.item_factors * np.where(is_liked, self._boost, 0)[:, np.newaxis], is_liked

    def with_index(self, index: ItemIndex | None) -> Self:
        """Return the same engine with another index, or without."""
        return replace(self, index=index)

    def fold_in(self, history: sparse.csr_matrix) -> NDArray[np.float32]:
        """Return (b, f) float32 user factors of (b, n_items) signed weights; NaN for nothing liked."""
        return self._solved(self.confidence.of(history, self.item_degrees))

    def _solved(self, confidences: sparse.csr_matrix) -> NDArray[np.float32]:
        users = np.full((confidences.shape[0], self.item_factors.shape[1]), np.nan, dtype=np.float32)
        for user in range(confidences.shape[0]):
            chosen = slice(confidences.indptr[user], confidences.indptr[user + 1])
            signed = confidences.data[chosen].astype(np.float64)
            if np.any(signed > 0):
                users[user] = self._solve(confidences.indices[chosen], signed)
        return users

    def explain(self, batch: RequestBatch, item_rows: Rows, n: int) -> list[list[Evidence]]:
        """Return the liked items of the history that add most to each score.

        The fold-in is linear in what was liked, so that a score is the sum of what each liked
        item adds: c_i y_j' (Y'Y + ...)^-1 y_i (Hu, Koren and Volinsky 2008, section 5).
        """
        rows = np.asarray(item_rows)
        places = np.flatnonzero((rows >= 0) & (rows < self.n_items))
        first = batch.rows(0, 1)
        confidences = first.once(self, self._confidences)
        signed, known = confidences.data.astype(np.float64), confidences.indices
        found: list[list[Evidence]] = [[] for _ in rows]
        if not np.any(signed > 0):
            return found
        weighed = linalg.cho_solve(self._system(known, signed), self.item_factors[rows[places]].T.astype(np.float64))
        liked = signed > 0
        parts = signed[liked, np.newaxis] * (self.item_factors[known[liked]] @ weighed)
        for place, evidence in zip(places, from_history(known[liked], parts, n), strict=True):
            found[place] = evidence
        return found

    def similar(self, item_rows: Rows, k: int) -> tuple[Rows, Scores]:
        """Return the k items of largest cosine to each given one, itself left out."""
        rows = np.asarray(item_rows)
        inside = (rows >= 0) & (rows < self.n_items)
        known = rows[inside]
        cosines = np.full((len(rows), self.n_items), np.nan, dtype=np.float32)
        cosines[inside] = self._unit_rows(known) @ self.item_factors.T / self._norms
        ends = np.concatenate(([0], np.cumsum(inside)))
        itself = sparse.csr_matrix((np.ones(len(known)), known, ends), shape=cosines.shape)
        return top_k(cosines, k, itself)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays and the scalars."""
        scalars = {
            "regularization": self.regularization,
            "popularity_exponent": self.popularity_exponent,
            **self.confidence.scalars(),
        }
        return {
            "item_factors": self.item_factors,
            "gramian": self.gramian,
            "item_degrees": self.item_degrees,
            **{name: np.array(value, dtype=np.float64) for name, value in scalars.items()},
        }

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from ``state()``."""
        item_factors = required_array(arrays, "item_factors", 2)
        gramian = required_array(arrays, "gramian", 2)
        item_degrees = required_array(arrays, "item_degrees", 1)
        n_items, n_factors = item_factors.shape
        if gramian.shape != (n_factors, n_factors) or len(item_degrees) != n_items:
            raise EngineError(
                f"Factors {item_factors.shape}, Gramian {gramian.shape} and degrees {item_degrees.shape} do not fit."
            )
        return cls(
            item_factors,
            gramian,
            item_degrees,
            float(required_array(arrays, "regularization", 0)),
            Confidence.from_arrays(arrays),
            float(required_array(arrays, "popularity_exponent", 0)),
        )

    def _solve(self, rows: NDArray[np.int32], signed: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the (f,) factors of one user; Cholesky, as the matrix is positive definite."""
        wanted = np.maximum(signed, 0) @ self.item_factors[rows].astype(np.float64)
        return linalg.cho_solve(self._system(rows, signed), wanted)

    def _system(self, rows: NDArray[np.int32], signed: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
        """Return the Cholesky factor of Y'Y + sum_i (c_i - 1) y_i y_i' + regularization I."""
        factors = self.item_factors[rows].astype(np.float64)
        system = self._regularized + (factors.T * (np.abs(signed) - 1)) @ factors
        return linalg.cho_factor(system, overwrite_a=True, check_finite=False)

    def _unit_rows(self, rows: Rows) -> NDArray[np.float32]:
        return self.item_factors[rows] / self._norms[rows, np.newaxis]

    @cached_property
    def _regularized(self) -> NDArray[np.float64]:
        return self.gramian + self.regularization * np.eye(len(self.gramian))

    @cached_property
    def _norms(self) -> NDArray[np.float32]:
        """(n_items,) lengths of the factors, NaN for items that nobody liked."""
        norms = np.sqrt(np.einsum("if,if->i", self.item_factors, self.item_factors))
        return np.where((self.item_degrees > 0) & (norms > 0), norms, np.float32(np.nan))

    @cached_property
    def _boost(self) -> NDArray[np.float32] | None:
        """(n_items,) factor of each item's scores, NaN for items that nobody liked; None = 1 for all."""
        if not self.popularity_exponent and np.all(self.item_degrees > 0):
            return None
        boost = np.maximum(self.item_degrees, 1) ** np.float32(self.popularity_exponent)
        return np.where(self.item_degrees > 0, boost, np.float32(np.nan))
