"""Content-based: items by their features, users by profile and history, in one space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.features import Features
from recommender_app.engines.base import Rows, Scores, required_array
from recommender_app.engines.batch import RequestBatch
from recommender_app.engines.content_explaining import explained
from recommender_app.engines.content_features import FeatureMap, encode_vectors, unit_vectors
from recommender_app.engines.content_search import ContentSearch, added_by_words
from recommender_app.engines.content_users import Liked, UserSide, UserView
from recommender_app.engines.explanations import Evidence
from recommender_app.engines.index import ItemIndex
from recommender_app.engines.indexed import IndexedEngine
from recommender_app.engines.top_k import top_k
from recommender_app.engines.wording import Wording, matrix_state, stored_matrix
from recommender_app.exceptions import EngineError

_FEW = 8  # users up to whom columns are looked up for each
_CHUNK = 64  # users at a time: bounds the dense copy of their wording


@dataclass(frozen=True)
class ContentEngine(IndexedEngine):
    """Scores = user factors x item factors (in standard deviations) + weight x cosine of wording.

    Item factors are those of ALS where somebody has liked the item; else a ridge map computes
    them from the item's features, also for items that are newer than the engine. User factors mix
    history and profile (``UserSide``). Wording, TF-IDF of texts and category terms, is compared
    directly; where there was nothing to learn factors from (f = 0), it decides alone.

    No opinion (NaN): users who liked nothing and of whom no feature is known; items that nobody
    has liked and of which no feature is known.

    Mapping content into the collaborative space follows Gantner et al. (ICDM 2010), with ALS in
    place of BPR and the direct comparison of words beside it.

    Attributes:
        wording: vocabulary and idf, w columns.
        item_map: item features -> item factors.
        users: history and profile -> user factors.
        item_vectors: (n_items, f) float32; 0 where nothing is known.
        item_wording: (n_items, w) float32 canonical CSR.
        wording_weight: standard deviations of factor score that a cosine of 1 is worth.
        stored_word_items: (w, n_items) CSR, ``item_wording`` by word; None = it is made when needed.
        index: of the item factors; words are looked at beside it (``ContentSearch``).
    """

    wording: Wording
    item_map: FeatureMap
    users: UserSide
    item_vectors: NDArray[np.float32]
    item_wording: sparse.csr_matrix
    wording_weight: float
    stored_word_items: sparse.csr_matrix | None = field(default=None, compare=False)
    index: ItemIndex | None = field(default=None, compare=False)

    key: ClassVar[str] = "content_based"
    covers_new_users: ClassVar[bool] = True
    covers_new_items: ClassVar[bool] = True
    uses_history: ClassVar[bool] = True
    has_similar_items: ClassVar[bool] = True
    has_explanations: ClassVar[bool] = True

    @property
    def n_items(self) -> int:
        """Number of item rows the engine was trained on."""
        return len(self.item_vectors)

    def score(self, batch: RequestBatch, items: Rows | None = None) -> Scores:
        """Return (b, n_items) or (b, len(items)) scores; NaN = no opinion."""
        users = self.view(batch)
        if items is None:
            return self._score_all(users)
        return self._score_rows(users, items)

    def score_both(self, batch: RequestBatch, items: Rows, encoded: sparse.csr_matrix) -> tuple[Scores, Scores]:
        """Return ``score`` of rows and ``score_encoded``, with the users looked at once."""
        users = self.view(batch)
        return self._score_rows(users, items), self._score_encoded(users, encoded)

    def _score_all(self, users: UserView) -> Scores:
        """Return (b, n_items) scores: of the wording, only the columns that the users have are looked at."""
        if len(users.factors) > _FEW:
            return self._score(users, self.item_vectors, self.item_wording, self._is_known)
        scores: Scores = users.factors @ self.item_vectors.T
        if self.item_wording.nnz:
            for user in range(len(scores)):
                scores[user] += added_by_words(self._word_items, users.asking(user), self.wording_weight)
        scores[~users.is_known] = np.nan
        scores[:, self._unknown] = np.nan
        return scores

    def candidates(self, batch: RequestBatch, k: int, exclude: sparse.csr_matrix | None = None) -> tuple[Rows, Scores]:
        """See ``Engine.candidates``; an index, which serves single requests, may miss some of the best items."""
        found = self.searched(self.view(batch), 0, k, exclude) if self.index and len(batch) == 1 and k else None
        if found is None:
            return super().candidates(batch, k, exclude)
        return found[0][np.newaxis], found[1][np.newaxis]

    def searched(
        self, users: UserView, user: int, k: int, exclude: sparse.csr_matrix | None
    ) -> tuple[Rows, NDArray[np.float32]] | None:
        """Return the k best rows and their scores by way of the index; None where it cannot serve the user."""
        if self.index is None or not users.is_known[user]:
            return None
        hidden = np.empty(0, np.int32) if exclude is None else exclude.indices[slice(*exclude.indptr[user : user + 2])]
        search = ContentSearch(self.index, self.item_vectors, self._word_items, self.wording_weight)
        return search.best(users.asking(user), k, hidden)

    def with_index(self, index: ItemIndex | None) -> Self:
        """Return the same engine with another index, or without."""
        return replace(self, index=index)

    def index_vectors(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the item factors, and which items are known."""
        return self.item_vectors, self._is_known

    def _score_rows(self, users: UserView, items: Rows) -> Scores:
        rows = np.asarray(items, dtype=np.int64)
        inside = (rows >= 0) & (rows < self.n_items)
        scores = np.full((len(users.factors), len(rows)), np.nan, dtype=np.float32)
        rows = rows[inside]
        scores[:, inside] = self._score(users, self.item_vectors[rows], self.item_wording[rows], self._is_known[rows])
        return scores

    def view(self, batch: RequestBatch) -> UserView:
        """Return what the engine knows of the users of a batch, found out once."""
        return batch.once(self, self._view)

    def _view(self, batch: RequestBatch) -> UserView:
        history = batch.once(self, RequestBatch.positive_history)
        rows, places = np.unique(history.indices, return_inverse=True)
        chosen = sparse.csr_matrix((history.data, places, history.indptr), shape=(len(batch), len(rows)))
        directions = chosen @ unit_vectors(self.item_vectors[rows])
        liked = Liked(directions, chosen @ self.item_wording[rows], history.getnnz(axis=1).astype(np.int64))
        wording = batch.once(self, self.profiles)
        return self.users.view(liked, wording, self.users.profile_map.numbers.encode(batch.known_profiles))

    def profiles(self, batch: RequestBatch) -> sparse.csr_matrix:
        """Return the (b, w) wording of the users' profiles."""
        return self.wording.encode(batch.known_profiles)

    def encode_items(self, features: Features, rows: Rows | None = None) -> sparse.csr_matrix:
        """Return (n, f + w) float32 CSR of items by their features, for ``score_encoded``.

        For items that are newer than the engine or have changed since. An item of which nothing
        is known has an empty row. Rows may be stacked and chosen freely.

        Args:
            rows: (n,) the engine's own rows of the items, -1 = new to it. A known item keeps what
                was learned of it, and moves by the difference that its words now make.
        """
        wording = self.wording.encode(features)
        vectors = encode_vectors(self.item_map, wording, self.item_map.numbers.encode(features))
        if rows is not None:
            places = np.flatnonzero((rows >= 0) & (rows < self.n_items))
            places = places[self._is_known[rows[places]]]
            old = self.item_wording[rows[places]]
            vectors[places] = self.item_vectors[rows[places]] + self.item_map.difference(wording[places], old)
        return sparse.hstack([sparse.csr_matrix(vectors), wording], format="csr", dtype=np.float32)

    def score_encoded(self, batch: RequestBatch, encoded: sparse.csr_matrix) -> Scores:
        """Return (b, n) scores of rows of ``encode_items``, comparable with those of ``score``."""
        return self._score_encoded(self.view(batch), encoded)

    def _score_encoded(self, users: UserView, encoded: sparse.csr_matrix) -> Scores:
        scores = np.empty((len(users.factors), encoded.shape[0]), dtype=np.float32)
        for start in range(0, len(scores), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            words = users.wording[chunk].toarray() * np.float32(self.wording_weight)
            scores[chunk] = (encoded @ np.hstack([users.factors[chunk], words]).T).T
        scores[~users.is_known] = np.nan
        scores[:, np.diff(encoded.indptr) == 0] = np.nan
        return scores

    def similar(self, item_rows: Rows, k: int) -> tuple[Rows, Scores]:
        """Return the k items of largest cosine, of factors and of wording in equal parts."""
        rows = np.asarray(item_rows, dtype=np.int64)
        inside = (rows >= 0) & (rows < self.n_items)
        known = np.where(inside, rows, 0)
        cosines = np.full((len(rows), self.n_items), np.nan, dtype=np.float32)
        if self.n_items and len(rows):
            cosines = self._cosines(unit_vectors(self.item_vectors[known]), self.item_wording[known])
            cosines[~(inside & self._is_known[known])] = np.nan
        itself = sparse.csr_matrix(
            (np.ones(len(rows)), known, np.arange(len(rows) + 1)), shape=(len(rows), self.n_items)
        )
        return top_k(cosines, k, itself)

    def similar_encoded(self, encoded: sparse.csr_matrix, k: int) -> tuple[Rows, Scores]:
        """Return the k known items most similar to each row of ``encode_items``; none for an empty row."""
        vectors, wording = self._unpacked(encoded)
        cosines = self._cosines(unit_vectors(vectors), wording)
        cosines[np.diff(encoded.indptr) == 0] = np.nan
        return top_k(cosines, k)

    def explain(self, batch: RequestBatch, item_rows: Rows, n: int) -> list[list[Evidence]]:
        """Return what speaks for each item to the first user: liked items, and words of the profile.

        A liked item's part is what it adds to factors and wording, both as they are scaled with
        the whole history; a word's part is that of its being in the profile and in the item.
        """
        rows = np.asarray(item_rows, dtype=np.int64)
        inside = np.flatnonzero((rows >= 0) & (rows < self.n_items))
        found: list[list[Evidence]] = [[] for _ in rows]
        evidence_of = explained(self, batch, self.item_vectors[rows[inside]], self.item_wording[rows[inside]], n)
        for place, evidence in zip(inside, evidence_of, strict=True):
            found[place] = evidence
        return found

    def explain_encoded(self, batch: RequestBatch, encoded: sparse.csr_matrix, n: int) -> list[list[Evidence]]:
        """Do for rows of ``encode_items`` what ``explain`` does for the engine's own."""
        return explained(self, batch, *self._unpacked(encoded), n)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays and the scalars."""
        return {
            **self.wording.state(),
            **self.item_map.state("item_map"),
            **self.users.state(),
            "item_vectors": self.item_vectors,
            **matrix_state(self.item_wording, "item_wording"),
            **matrix_state(self._word_items, "word_items"),
            "wording_weight": np.array(self.wording_weight, dtype=np.float64),
        }

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from ``state()``."""
        wording = Wording.from_state(arrays)
        item_map, users = FeatureMap.from_state(arrays, "item_map"), UserSide.from_state(arrays)
        item_vectors = required_array(arrays, "item_vectors", 2)
        n_items, n_factors = item_vectors.shape
        for feature_map in (item_map, users.profile_map):
            if len(feature_map.intercept) != n_factors or np.any(feature_map.columns >= len(wording)):
                raise EngineError(f"A feature map does not fit {n_factors} factors and {len(wording)} columns.")
        item_wording = stored_matrix(arrays, "item_wording", (n_items, len(wording)))
        is_stored = "word_items_data" in arrays  # older artifacts lack it
        word_items = stored_matrix(arrays, "word_items", (len(wording), n_items)) if is_stored else None
        weight = float(required_array(arrays, "wording_weight", 0))
        return cls(wording, item_map, users, item_vectors, item_wording, weight, word_items)

    def _score(
        self, users: UserView, vectors: NDArray[np.float32], wording: sparse.csr_matrix, is_known: NDArray[np.bool_]
    ) -> Scores:
        scores: Scores = users.factors @ vectors.T
        if wording.nnz:
            for start in range(0, len(scores), _CHUNK):
                wanted = users.wording[start : start + _CHUNK].toarray().T
                scores[start : start + _CHUNK] += np.float32(self.wording_weight) * (wording @ wanted).T
        scores[~users.is_known] = np.nan
        scores[:, ~is_known] = np.nan
        return scores

    def _cosines(self, directions: NDArray[np.float32], wording: sparse.csr_matrix) -> NDArray[np.float32]:
        shared = (wording @ self.item_wording.T).toarray()
        cosines: NDArray[np.float32] = (directions @ self.item_vectors.T / self._lengths + shared).astype(
            np.float32
        ) / 2
        cosines[:, ~self._is_known] = np.nan
        return cosines

    def _unpacked(self, encoded: sparse.csr_matrix) -> tuple[NDArray[np.float32], sparse.csr_matrix]:
        n_factors = self.item_vectors.shape[1]
        return encoded[:, :n_factors].toarray(), encoded[:, n_factors:]

    @cached_property
    def _lengths(self) -> NDArray[np.float32]:
        """(n_items,) float32 norms of the item vectors, 1 where nothing is known."""
        lengths = np.linalg.norm(self.item_vectors, axis=1)
        return np.where(lengths > 0, lengths, 1.0).astype(np.float32)

    @cached_property
    def _word_items(self) -> sparse.csr_matrix:
        return self.item_wording.T.tocsr() if self.stored_word_items is None else self.stored_word_items

    @cached_property
    def _unknown(self) -> Rows:
        """Ascending rows of the items that are not known."""
        return np.flatnonzero(~self._is_known).astype(np.int32)

    @cached_property
    def _is_known(self) -> NDArray[np.bool_]:
        return np.any(self.item_vectors != 0, axis=1) | (self.item_wording.getnnz(axis=1) > 0)
