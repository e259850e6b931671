"""Engines whose score is the inner product of a user's and an item's vector: all items, or through an index."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.engines.base import Engine, Rows, Scores
from recommender_app.engines.batch import RequestBatch
from recommender_app.engines.index import ItemIndex
from recommender_app.engines.top_k import top_k_in_place

Vectors = NDArray[np.float32]
_CHUNK_SCORES = 4_000_000  # 16 MB: scores of a chunk are ranked while they are still in the cache
_MOST_FETCHED = 0.1  # share of the catalogue; whoever asks an index for more is served faster without


class VectorEngine(Engine):
    """Proposes items exactly, or through an index where it has one; scores are exact in both cases.

    What comes from the index is scored anew in float32 and ranked by the common rule, so that an
    index can miss an item, but neither misjudge nor misplace one.
    """

    index: ItemIndex | None = None  # over ``index_vectors``

    @abstractmethod
    def with_index(self, index: ItemIndex | None) -> Self:
        """Return the same engine with another index, or without."""

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

    @property
    def has_index(self) -> bool:
        """Whether ``candidates`` finds the best items without scoring all."""
        return self.index is not None

    def candidates(self, batch: RequestBatch, k: int, exclude: sparse.csr_matrix | None = None) -> tuple[Rows, Scores]:
        """See ``Engine.candidates``; an index may miss some of the best items."""
        return self.nearest(self.query_vectors(batch), k, exclude)

    def nearest(self, queries: Vectors, k: int, exclude: sparse.csr_matrix | None = None) -> tuple[Rows, Scores]:
        """Return the best (b, k) rows and scores for (b, d) queries, padded like ``candidates``."""
        rows = np.full((len(queries), k), -1, dtype=np.int32)
        scores = np.full((len(queries), k), np.nan, dtype=np.float32)
        left = np.flatnonzero(np.isfinite(queries).all(axis=1))
        found = self._found(queries[left], k, 0 if exclude is None else int(np.diff(exclude.indptr).max(initial=0)))
        if found is not None:
            for user, theirs in zip(left, found, strict=True):
                best, values = self._ranked(queries[user], theirs, k, _entries(exclude, int(user)))
                rows[user, : len(best)], scores[user, : len(best)] = best, values
            left = left[rows[left, k - 1] < 0]  # too few found: all is scored for them
        size = max(1, _CHUNK_SCORES // max(1, self.n_items))
        for start in range(0, len(left), size):
            chunk = left[start : start + size]
            hidden = exclude if exclude is None or len(chunk) == len(queries) else exclude[chunk]
            rows[chunk], scores[chunk] = top_k_in_place(self.score_all(queries[chunk]), k, hidden)
        return rows, scores

    def _found(self, queries: Vectors, k: int, n_hidden: int) -> Rows | None:
        """Return what the index finds, enough to leave out ``n_hidden`` of it; None where scoring all is better."""
        if self.index is None or not len(queries) or k < 1 or k + n_hidden > self.n_items * _MOST_FETCHED:
            return None
        return self.index.search(self.index_queries(queries), k + n_hidden)

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
