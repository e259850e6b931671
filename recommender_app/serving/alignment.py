"""Engines speak their own item rows; here is how they are made to speak the catalogue's."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.ids import UNKNOWN_ROW
from recommender_app.engines.base import Engine, Rows, Scores
from recommender_app.engines.batch import RequestBatch
from recommender_app.exceptions import EngineError


def to_engine_rows(batch: RequestBatch, to_engine: Rows, n_engine: int) -> RequestBatch:
    """Return the same requests in an engine's rows; items that it does not know are left out.

    Args:
        batch: requests whose history is in catalogue rows.
        to_engine: (n_catalogue,) int32, -1 = unknown to the engine. Both row spaces are sorted
            by external id, so that the order of columns is kept.
        n_engine: number of the engine's rows.
    """
    history = batch.history
    rows = to_engine[history.indices]
    is_known = rows >= 0
    indptr = np.concatenate(([0], np.cumsum(is_known)))[history.indptr]
    known = sparse.csr_matrix((history.data[is_known], rows[is_known], indptr), shape=(len(batch), n_engine))
    ages = batch.ages_days[is_known] if len(batch.ages_days) else batch.ages_days
    return RequestBatch(batch.user_rows, known, ages, batch.profiles)


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

    def score(self, batch: RequestBatch, items: Rows | None = None) -> Scores:
        """Return float32 scores over catalogue rows, (b, n_catalogue) or (b, len(items))."""
        inner = to_engine_rows(batch, self.to_engine, len(self.from_engine))
        if items is not None:
            return self.engine.score(inner, self._rows_inside(items))
        scores = np.full((len(batch), self.n_items), np.nan, dtype=np.float32)
        scores[:, self.from_engine] = self.engine.score(inner)
        return scores

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
