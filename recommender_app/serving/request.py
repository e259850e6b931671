"""One request, in the rows of whichever engine is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from recommender_app.dataset.features import Features
from recommender_app.engines.batch import RequestBatch
from recommender_app.serving.alignment import to_engine_rows
from recommender_app.serving.catalogue import Catalogue, Rows
from recommender_app.usecases.history import History


@dataclass(frozen=True)
class ServingRequest:
    """What engines may know of a request.

    Attributes:
        catalogue: of the live release.
        history: what the user did, in external ids.
        profile: one row of user features, or None.
        hidden: external ids that need not be proposed.
    """

    catalogue: Catalogue
    history: History
    profile: Features | None
    hidden: tuple[Any, ...] = ()

    @property
    def has_history(self) -> bool:
        """Whether the user liked at least one item, known to an engine or not."""
        return bool(np.any(self.history.weights > 0))

    @cached_property
    def catalogue_batch(self) -> RequestBatch:
        """The batch of one in catalogue rows; items that no engine knows are left out."""
        rows = self.catalogue.rows(self.history.item_ids)
        known = np.flatnonzero(rows >= 0)
        known = known[np.argsort(rows[known])]
        history = _one_row(rows[known], self.history.weights[known], len(self.catalogue))
        return RequestBatch(np.array([-1], dtype=np.int32), history, self.history.ages_days[known], self.profile)

    def batch(self, engine: str) -> RequestBatch:
        """Return the batch of one in an engine's rows, made once; items that it does not know are left out."""
        if engine not in self._batches:
            n_engine = len(self.catalogue.from_engine[engine])
            self._batches[engine] = to_engine_rows(self.catalogue_batch, self.catalogue.to_engine[engine], n_engine)
        return self._batches[engine]

    @cached_property
    def _batches(self) -> dict[str, RequestBatch]:
        return {}

    def exclusion(self, engine: str, ids: Iterable[Any]) -> sparse.csr_matrix:
        """Return the (1, n_engine) CSR of what the engine must not propose: ``ids`` and the hidden items."""
        rows = self.catalogue.engine_rows(engine, self.catalogue.rows([*self.hidden, *ids]))
        columns = np.unique(rows[rows >= 0])
        return _one_row(columns, np.ones(len(columns), dtype=np.float32), len(self.catalogue.from_engine[engine]))


def usable(rows: Rows, scores: Any, n_items: int) -> tuple[Rows, Any]:
    """Return an engine's proposals without padding, strange rows, duplicates and scores that are not finite."""
    rows, scores = np.asarray(rows).ravel(), np.asarray(scores, dtype=np.float64).ravel()
    is_usable = (rows >= 0) & (rows < n_items) & np.isfinite(scores)
    rows, scores = rows[is_usable], scores[is_usable]
    _, first = np.unique(rows, return_index=True)
    first.sort()
    return rows[first].astype(np.int32), scores[first]


def _one_row(columns: Rows, values: Any, n_columns: int) -> sparse.csr_matrix:
    return sparse.csr_matrix((values, columns, np.array([0, len(columns)])), shape=(1, n_columns))
