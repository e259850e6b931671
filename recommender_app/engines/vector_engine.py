"""Engines whose score is the inner product of a user's and an item's vector: all items, or through an index."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.engines.base import Rows, Scores
from recommender_app.engines.batch import RequestBatch
from recommender_app.engines.indexed import IndexedEngine
from recommender_app.engines.top_k import top_k_in_place

Vectors = NDArray[np.float32]
_CHUNK_SCORES = 4_000_000  # 16 MB: scores of a chunk are ranked while they are still in the cache
_CHUNK_QUERIES = 16  # at least: fewer would read a large catalogue once for each
_BATCH = 8  # from so many queries on, one matrix product beats searching them one by one ...
_BATCH_SHARE = 0.25  # ... unless each of them searches less than this share of the items
_SPARE = 8  # items beyond the list, whose scores prove that nothing unseen belongs in it


class VectorEngine(IndexedEngine):
    """Proposes items exactly, or through an index where it has one; scores are exact in both cases.

    What comes from the index is scored anew in float32 and ranked by the common rule, so that an
    index can miss an item, but neither misjudge nor misplace one.
    """

    @abstractmethod
    def query_vectors(self, batch: RequestBatch) -> Vectors:
        """Return (b, d) float32 users' vectors; a row of NaN for a user without an opinion."""

    @abstractmethod
    def score_all(self, queries: Vectors) -> Scores:
        """Return new (b, n_items) float32 scores of (b, d) queries, NaN = no opinion."""

    @abstractmethod
    def score_some(self, queries: Vectors, rows: Rows) -> Scores:
        """Return (b, len(rows)) float32 scores of rows that exist, NaN = no opinion."""

    @abstractmethod
    def index_vectors(self) -> tuple[Vectors, NDArray[np.bool_]]:
        """Return (n_items, e) float32 vectors for an index and (n_items,) which of them belong in it.

        Their inner products with ``index_queries`` are the scores.
        """

    def index_queries(self, queries: Vectors) -> Vectors:
        """Return (b, e) float32 what an index is asked for (b, d) queries."""
        return queries

    def candidates(self, batch: RequestBatch, k: int, exclude: sparse.csr_matrix | None = None) -> tuple[Rows, Scores]:
        """See ``Engine.candidates``; an index may miss some of the best items."""
        return self.nearest(self.query_vectors(batch), k, exclude)

    def nearest(self, queries: Vectors, k: int, exclude: sparse.csr_matrix | None = None) -> tuple[Rows, Scores]:
        """Return the best (b, k) rows and scores for (b, d) queries, padded like ``candidates``."""
        rows = np.full((len(queries), k), -1, dtype=np.int32)
        scores = np.full((len(queries), k), np.nan, dtype=np.float32)
        left = np.flatnonzero(np.isfinite(queries).all(axis=1)) if k else np.empty(0, dtype=np.intp)
        if self.index is not None and (len(left) < _BATCH or self.index.plan.share <= _BATCH_SHARE):
            for user, best, values in self.from_index(queries, left, k, exclude):
                rows[user], scores[user] = best, values
        left = left[rows[left, 0] < 0] if k else left
        size = max(_CHUNK_QUERIES, _CHUNK_SCORES // max(1, self.n_items))
        for start in range(0, len(left), size):
            chunk = left[start : start + size]
            hidden = exclude if exclude is None or len(chunk) == len(queries) else exclude[chunk]
            rows[chunk], scores[chunk] = top_k_in_place(self.score_all(queries[chunk]), k, hidden)
        return rows, scores

    def from_index(
        self, queries: Vectors, asking: NDArray[np.intp], k: int, exclude: sparse.csr_matrix | None
    ) -> Iterator[tuple[int, Rows, NDArray[np.float32]]]:
        """Yield (user, k rows, k scores) of those whom the index serves: a full list, proven if it looks at all."""
        if self.index is None or not len(asking):
            return
        plan, asked = self.index.plan, self.index_queries(queries[asking])
        n_hidden = 0 if exclude is None else int(np.diff(exclude.indptr).max(initial=0))
        nprobe = plan.nprobe_for(k + n_hidden, self.n_items)
        if nprobe is None:
            return
        found = self.index.search(asked, k + n_hidden + (k // 8 + _SPARE if plan.is_exhaustive else 0), nprobe)
        if found is None:
            return
        slack = plan.slack(asked)
        for place, user in enumerate(asking.tolist()):
            best, values = self._ranked(queries[user], found[0][place], k, _entries(exclude, user))
            unseen = found[1][place, -1] + slack[place] if plan.is_exhaustive else -np.inf  # their best possible
            if len(best) == k and values[-1] > unseen:
                yield user, best, values

    def _ranked(self, query: Vectors, found: Rows, k: int, hidden: Rows) -> tuple[Rows, NDArray[np.float32]]:
        """Return up to k of the rows that were found, scored exactly, best first, equals by row."""
        found = np.sort(found[found >= 0])
        if len(hidden):
            found = found[~np.isin(found, hidden)]
        values = self.score_some(query[np.newaxis], found)[0]
        order = np.argsort(-values, kind="stable")[:k]
        order = order[np.isfinite(values[order])]
        return found[order], values[order]


def _entries(exclude: sparse.csr_matrix | None, user: int) -> Rows:
    if exclude is None:
        return np.empty(0, dtype=np.int32)
    return exclude.indices[exclude.indptr[user] : exclude.indptr[user + 1]]
