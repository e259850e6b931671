"""Engines speak their own item rows; here is how they are made to speak the catalogue's."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.ids import UNKNOWN_ROW
from recommender_app.engines.base import Engine, Rows, Scores
from recommender_app.engines.batch import RequestBatch
from recommender_app.engines.explanations import Evidence
from recommender_app.exceptions import EngineError


def to_engine_rows(batch: RequestBatch, to_engine: Rows, n_engine: int) -> RequestBatch:
    """Return the same requests in an engine's rows; items that it does not know are left out.

    Args:
        batch: requests whose history is in catalogue rows.
        to_engine: (n_catalogue,) int32, -1 = unknown to the engine. Both row spaces are sorted
            by external id, so that the order of columns is kept.
        n_engine: number of the engine's rows.
    """
    known = in_engine_rows(batch.history, to_engine, n_engine)
    ages = batch.ages_days[to_engine[batch.history.indices] >= 0] if len(batch.ages_days) else batch.ages_days
    return RequestBatch(batch.user_rows, known, ages, batch.profiles)


def in_engine_rows(matrix: sparse.csr_matrix, to_engine: Rows, n_engine: int) -> sparse.csr_matrix:
    """Return the (b, n_engine) CSR of a (b, n_catalogue) one; see ``to_engine_rows``."""
    rows = to_engine[matrix.indices]
    is_known = rows >= 0
    indptr = np.concatenate(([0], np.cumsum(is_known)))[matrix.indptr]
    return sparse.csr_matrix((matrix.data[is_known], rows[is_known], indptr), shape=(matrix.shape[0], n_engine))


class AlignedEngine(Engine):
    """An engine over the catalogue: NaN for the items that the one inside does not know, whose flags it has."""

    key = "aligned"

    def __init__(self, engine: Engine, to_engine: Rows, from_engine: Rows) -> None:
        self.engine = engine
        self.to_engine = to_engine
        self.from_engine = from_engine
        self.covers_new_users = engine.covers_new_users  # type: ignore[misc]
        self.covers_new_items = engine.covers_new_items  # type: ignore[misc]
        self.uses_history = engine.uses_history  # type: ignore[misc]

    @property
    def n_items(self) -> int:
        """Number of catalogue rows."""
        return len(self.to_engine)

    def _inner(self, batch: RequestBatch) -> RequestBatch:
        """Return the batch in the rows of the engine inside."""
        return to_engine_rows(batch, self.to_engine, len(self.from_engine))

    def score(self, batch: RequestBatch, items: Rows | None = None) -> Scores:
        """Return float32 scores over catalogue rows, (b, n_catalogue) or (b, len(items))."""
        inner = batch.once(self, self._inner)
        if items is not None:
            return self.engine.score(inner, self._rows_inside(items))
        scores = np.full((len(batch), self.n_items), np.nan, dtype=np.float32)
        scores[:, self.from_engine] = self.engine.score(inner)
        return scores

    @property
    def has_index(self) -> bool:
        """As of the engine inside."""
        return self.engine.has_index

    def candidates(self, batch: RequestBatch, k: int, exclude: sparse.csr_matrix | None = None) -> tuple[Rows, Scores]:
        """Return the best (b, k) catalogue rows; ties keep their order, as both row spaces are sorted alike."""
        inner = batch.once(self, self._inner)
        hidden = None if exclude is None else in_engine_rows(exclude, self.to_engine, len(self.from_engine))
        rows, scores = self.engine.candidates(inner, k, hidden)
        found = np.full(rows.shape, UNKNOWN_ROW, dtype=np.int32)
        found[rows >= 0] = self.from_engine[rows[rows >= 0]]
        return found, scores

    @property
    def has_explanations(self) -> bool:  # type: ignore[override]
        """As of the engine inside."""
        return self.engine.has_explanations

    def explain(self, batch: RequestBatch, item_rows: Rows, n: int) -> list[list[Evidence]]:
        """Return the evidence of the engine inside, in catalogue rows."""
        inner = batch.once(self, self._inner)
        explained = self.engine.explain(inner, self._rows_inside(item_rows), n)
        return [[one if one.row < 0 else self._outside(one) for one in found] for found in explained]

    def _outside(self, evidence: Evidence) -> Evidence:
        return evidence._replace(row=int(self.from_engine[evidence.row]))

    def _rows_inside(self, items: Rows) -> Rows:
        """Return the rows of the engine inside, -1 for what it does not know."""
        items = np.asarray(items)
        rows = np.full(len(items), UNKNOWN_ROW, dtype=np.int32)
        exists = (items >= 0) & (items < self.n_items)
        rows[exists] = self.to_engine[items[exists]]
        return rows

    def state(self) -> dict[str, NDArray[Any]]:
        """Exists only while serving: the engine inside is an artifact of its own."""
        raise EngineError("An aligned engine is not stored: store the engine inside.")

    @classmethod
    def from_state(cls, arrays: Any) -> Self:
        """Exists only while serving."""
        raise EngineError("An aligned engine is not stored: open the engine inside.")
