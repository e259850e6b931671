"""Two towers: a user's vector from history and profile, an item's vector from id and content; cosine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.features import Features
from recommender_app.engines.base import Rows, Scores, required_array
from recommender_app.engines.batch import RequestBatch
from recommender_app.engines.explanations import Evidence, from_history, from_terms, strongest, without_each
from recommender_app.engines.index import ItemIndex
from recommender_app.engines.top_k import top_k
from recommender_app.engines.two_tower_inputs import FeatureEncoder, history_weights
from recommender_app.engines.vector_engine import VectorEngine
from recommender_app.exceptions import EngineError

Vectors = NDArray[np.float32]
_SIMILAR_CHUNK = 256


@dataclass(frozen=True)
class TwoTowerArrays:
    """Everything learned, in dimension d.

    Attributes:
        item_vectors: (n_items, d) float32, length 1; all zero = nothing is known of the item.
        item_offsets: (n_items,) float32, added to the cosine: 0 for an item that interactions
            taught, ``new_item_offset`` for one that is known by its content alone.
        new_item_offset: 0-d float32, <= 0: nobody has liked it yet, and the cosine cannot know.
        history_vectors: (n_items, d) float32: what an item in the history adds to the user.
        content_vectors: (width of ``content``, d) float32.
        profile_vectors: (width of ``profile``, d) float32.
        dense_weights: (l, d, d) float32, l in 0..2; a layer is ``x + tanh(x @ weight + bias)``.
        dense_biases: (l, d) float32.
        half_life_days: 0-d float32, 0 = no decay.
        content, profile: encoders of item and user features.
    """

    item_vectors: Vectors
    item_offsets: Vectors
    new_item_offset: NDArray[np.float32]
    history_vectors: Vectors
    content_vectors: Vectors
    profile_vectors: Vectors
    dense_weights: Vectors
    dense_biases: Vectors
    half_life_days: NDArray[np.float32]
    content: FeatureEncoder
    profile: FeatureEncoder


class TwoTowerEngine(VectorEngine):
    """Cosine of a user vector, computed at request time, and precomputed item vectors.

    There is no vector per user: an unseen user and a fresh click count at once. The design
    follows Covington et al. (RecSys 2016) and Yi et al. (RecSys 2019).

    New users and new items are covered as far as there is something to go by: a profile of which
    a feature was known in training, content likewise (items created after training go through
    ``encode_items``). A user with neither a liked item nor such a profile scores NaN, and so does
    an item with neither interactions nor such content.
    """

    key: ClassVar[str] = "two_tower"
    covers_new_users: ClassVar[bool] = True
    covers_new_items: ClassVar[bool] = True
    uses_history: ClassVar[bool] = True
    has_similar_items: ClassVar[bool] = True
    has_explanations: ClassVar[bool] = True

    def __init__(self, arrays: TwoTowerArrays, index: ItemIndex | None = None) -> None:
        self.arrays = arrays
        self.index = index
        self._is_known = np.any(arrays.item_vectors != 0, axis=1)

    @property
    def n_items(self) -> int:
        """Number of item rows the engine was trained on."""
        return len(self.arrays.item_vectors)

    def score(self, batch: RequestBatch, items: Rows | None = None) -> Scores:
        """Return cosines with their offsets, (b, n_items) or (b, len(items)) float32; NaN = no opinion."""
        users = self.user_vectors(batch)
        if items is None:
            return self.score_all(users)
        items = np.asarray(items, dtype=np.int64)
        inside = (items >= 0) & (items < self.n_items)
        scores = np.full((len(batch), len(items)), np.nan, dtype=np.float32)
        scores[:, inside] = self.score_some(users, items[inside])
        return scores

    def query_vectors(self, batch: RequestBatch) -> Vectors:
        """Return ``user_vectors``."""
        return self.user_vectors(batch)

    def score_all(self, queries: Vectors) -> Scores:
        """Return (b, n_items) scores of (b, d) user vectors."""
        scores = _cosines(queries, self.arrays.item_vectors, self._is_known)
        scores += self.arrays.item_offsets
        return scores

    def score_some(self, queries: Vectors, rows: Rows) -> Scores:
        """Return (b, len(rows)) scores of (b, d) user vectors."""
        cosines = _cosines(queries, self.arrays.item_vectors[rows], self._is_known[rows])
        return cosines + self.arrays.item_offsets[rows]

    def index_vectors(self) -> tuple[Vectors, NDArray[np.bool_]]:
        """Return (n_items, d + 1) vectors that end in the item's offset, and which items are known."""
        return np.column_stack((self.arrays.item_vectors, self.arrays.item_offsets)), self._is_known

    def index_queries(self, queries: Vectors) -> Vectors:
        """Return (b, d + 1) user vectors that end in 1, which adds the offset."""
        return np.column_stack((queries, np.ones(len(queries), dtype=np.float32)))

    def with_index(self, index: ItemIndex | None) -> Self:
        """Return the same engine with another index, or without."""
        return type(self)(self.arrays, index)

    def user_vectors(self, batch: RequestBatch) -> Vectors:
        """Return (b, d) float32 of length 1; a NaN row for a user of whom nothing is known."""
        return batch.once(self, self._user_vectors)

    def _user_vectors(self, batch: RequestBatch) -> Vectors:
        history = batch.once(self, self._history)
        pooled = history @ self.arrays.history_vectors
        has_input = np.diff(history.indptr) > 0
        if batch.profiles is not None and self.arrays.profile.width:
            profile = batch.once(self, self._profile)
            pooled = pooled + profile @ self.arrays.profile_vectors
            has_input |= np.diff(profile.indptr) > 0
        return _unit(self._dense(pooled.astype(np.float32)), has_input)

    def _history(self, batch: RequestBatch) -> sparse.csr_matrix:
        return history_weights(batch, float(self.arrays.half_life_days))

    def _profile(self, batch: RequestBatch) -> sparse.csr_matrix:
        """(b, profile width) float32 CSR, empty rows for users without a profile."""
        return self.arrays.profile.encode(batch.known_profiles)

    def _cosines_of(self, pooled: Vectors, items: Vectors) -> Vectors:
        """(u, n) cosines of u pooled inputs with item vectors; 0 for an input that says nothing."""
        users = _unit(self._dense(pooled.astype(np.float32)), np.any(pooled != 0, axis=1))
        cosines: Vectors = np.nan_to_num(users) @ items.T
        return cosines

    def encode_items(self, features: Features, rows: Rows | None = None) -> Vectors:
        """Return (n, d) float32 vectors of items from content alone, also of items never trained on.

        Length 1; a NaN row where no feature is known. The dot product with ``user_vectors``
        plus ``arrays.new_item_offset`` is a score like any other.

        Args:
            rows: (n,) the engine's own rows of the items, -1 = new to it. A row of NaN for an item
                that interactions taught: content alone would know less of it.
        """
        encoded = self.arrays.content.encode(features)
        vectors = _unit(encoded @ self.arrays.content_vectors, np.diff(encoded.indptr) > 0)
        if rows is not None:
            places = np.flatnonzero((rows >= 0) & (rows < self.n_items))
            is_taught = self._is_known[rows[places]] & (self.arrays.item_offsets[rows[places]] == 0)
            vectors[places[is_taught]] = np.nan
        return vectors

    def score_encoded(self, batch: RequestBatch, encoded: Vectors) -> Scores:
        """Return (b, n) float32 scores of rows of ``encode_items``, comparable with those of ``score``."""
        scores: Scores = self.user_vectors(batch) @ encoded.T + self.arrays.new_item_offset
        return scores

    def score_both(self, batch: RequestBatch, items: Rows, encoded: Vectors) -> tuple[Scores, Scores]:
        """Return ``score`` of rows and ``score_encoded``."""
        return self.score(batch, items), self.score_encoded(batch, encoded)

    def explain(self, batch: RequestBatch, item_rows: Rows, n: int) -> list[list[Evidence]]:
        """Return the liked items, or the profile's terms, without which each score falls most.

        Each is left out in turn and the user's vector computed anew.
        """
        rows = np.asarray(item_rows, dtype=np.int64)
        places = np.flatnonzero((rows >= 0) & (rows < self.n_items))
        explained = self.explain_encoded(batch, self.arrays.item_vectors[rows[places]], n)
        found: list[list[Evidence]] = [[] for _ in rows]
        for place, evidence in zip(places, explained, strict=True):
            found[place] = evidence
        return found

    def explain_encoded(self, batch: RequestBatch, encoded: Vectors, n: int) -> list[list[Evidence]]:
        """Do for rows of ``encode_items`` what ``explain`` does for the engine's own."""
        if not len(batch):
            return [[] for _ in encoded]
        first = batch.rows(0, 1)
        history = first.once(self, self._history)
        of_history = history @ self.arrays.history_vectors
        profile = first.once(self, self._profile)
        of_profile = profile @ self.arrays.profile_vectors
        score = self._cosines_of(of_history + of_profile, encoded)
        less = without_each(history.data, self.arrays.history_vectors[history.indices])
        of_liked = score - self._cosines_of(less + of_profile, encoded)
        is_term = profile.indices < len(self.arrays.profile.vocabulary)
        terms, values = profile.indices[is_term], profile.data[is_term]
        less = without_each(values, self.arrays.profile_vectors[terms])
        less += of_profile - values @ self.arrays.profile_vectors[terms]  # the numbers
        of_terms = score - self._cosines_of(of_history + less, encoded)
        names = self.arrays.profile.vocabulary[terms].tolist()
        return strongest(n, from_history(history.indices, of_liked, n), from_terms(names, of_terms, n))

    def similar(self, item_rows: Rows, k: int) -> tuple[Rows, Scores]:
        """Return the k items of highest cosine to each row, itself left out; unknown rows get none."""
        wanted = np.asarray(item_rows, dtype=np.int64)
        rows = np.full((len(wanted), k), -1, dtype=np.int32)
        scores = np.full((len(wanted), k), np.nan, dtype=np.float32)
        known = np.flatnonzero((wanted >= 0) & (wanted < self.n_items))
        for start in range(0, len(known), _SIMILAR_CHUNK):
            places = known[start : start + _SIMILAR_CHUNK]
            rows[places], scores[places] = self._similar_to(wanted[places], k)
        return rows, scores

    def _similar_to(self, item_rows: NDArray[np.int64], k: int) -> tuple[Rows, Scores]:
        vectors = self.arrays.item_vectors[item_rows]
        cosines = _cosines(vectors, self.arrays.item_vectors, self._is_known)
        cosines[~self._is_known[item_rows]] = np.nan
        cosines[np.arange(len(item_rows)), item_rows] = np.nan
        return top_k(cosines, k)

    def _dense(self, pooled: Vectors) -> Vectors:
        for weight, bias in zip(self.arrays.dense_weights, self.arrays.dense_biases, strict=True):
            pooled = pooled + np.tanh(pooled @ weight + bias)
        return pooled

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the learned arrays and the two encoders' vocabularies."""
        arrays = self.arrays
        plain = {name: getattr(arrays, name) for name in _SHAPES}
        return plain | arrays.content.state("content") | arrays.profile.state("profile")

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from ``state()``.

        Raises:
            EngineError: an array is missing, of a wrong shape, or not finite.
        """
        plain = {name: required_array(arrays, name, ndim) for name, ndim in _SHAPES.items()}
        content, profile = (FeatureEncoder.from_state(arrays, prefix) for prefix in ("content", "profile"))
        loaded = TwoTowerArrays(**plain, content=content, profile=profile)
        _check_shapes(loaded)
        return cls(loaded)


_SHAPES = {
    "item_vectors": 2,
    "item_offsets": 1,
    "new_item_offset": 0,
    "history_vectors": 2,
    "content_vectors": 2,
    "profile_vectors": 2,
    "dense_weights": 3,
    "dense_biases": 2,
    "half_life_days": 0,
}


def _check_shapes(arrays: TwoTowerArrays) -> None:
    n_items, d = arrays.item_vectors.shape
    n_layers = len(arrays.dense_weights)
    expected: dict[str, tuple[int, ...]] = {
        "item_offsets": (n_items,),
        "history_vectors": (n_items, d),
        "content_vectors": (arrays.content.width, d),
        "profile_vectors": (arrays.profile.width, d),
        "dense_weights": (n_layers, d, d),
        "dense_biases": (n_layers, d),
    }
    for name, shape in expected.items():
        if getattr(arrays, name).shape != shape:
            found = getattr(arrays, name).shape
            raise EngineError(f"The engine's array {name!r} has shape {found} instead of {shape}.")


def _cosines(users: Vectors, items: Vectors, is_known: NDArray[np.bool_]) -> Scores:
    scores: Scores = users @ items.T
    scores[:, ~is_known] = np.nan
    return scores


def _unit(vectors: Vectors, has_input: NDArray[np.bool_]) -> Vectors:
    """Scale rows to length 1; a row without input, or of no direction, becomes NaN."""
    lengths = np.linalg.norm(vectors, axis=1)
    usable = has_input & (lengths > 0)
    unit = np.full(vectors.shape, np.nan, dtype=np.float32)
    unit[usable] = vectors[usable] / lengths[usable, None]
    return unit
