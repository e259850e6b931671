"""How the content engine sees a user: what was liked, mixed with what the profile says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.engines.base import required_array
from recommender_app.engines.content_features import FeatureMap
from recommender_app.engines.content_search import Asking
from recommender_app.engines.tfidf import unit_rows
from recommender_app.exceptions import EngineError


class UserView(NamedTuple):
    """b users: ``factors`` (b, f) float32, ``wording`` (b, w) float32 CSR, ``is_known`` (b,) bool."""

    factors: NDArray[np.float32]
    wording: sparse.csr_matrix
    is_known: NDArray[np.bool_]

    def asking(self, user: int) -> Asking:
        """Return one of them."""
        entries = slice(*self.wording.indptr[user : user + 2])
        return Asking(self.factors[user], self.wording.indices[entries], self.wording.data[entries])


class Liked(NamedTuple):
    """What b users liked, pooled: ``directions`` (b, f), ``wording`` (b, w) CSR, ``counts`` (b,)."""

    directions: NDArray[np.float32]
    wording: sparse.csr_matrix
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class UserSide:
    """Mixes history and profile with the weights n^2 / (n^2 + c^2) and c^2 / (n^2 + c^2) for n liked items.

    n / (n + c) without the squares lets the profile go too early and keeps it too long: on
    validation it was worse than popularity for three interactions, and worse for thirty.

    Both sides are brought to one scale first: scores over the catalogue with deviation 1. Where a
    profile says nothing, its place is the mean user's, who likes what is popular.

    Attributes:
        profile_map: profile features -> user factors; its intercept is the mean user.
        history_map: (f, f) float32: the pooled directions of liked items -> user factors.
        covariance: (f, f) float32 of the factors of items that somebody liked.
        half_count: c.
    """

    profile_map: FeatureMap
    history_map: NDArray[np.float32]
    covariance: NDArray[np.float32]
    half_count: float

    def view(self, liked: Liked, profile_wording: sparse.csr_matrix, profile_numbers: NDArray[np.float32]) -> UserView:
        """Return the users of b histories and b encoded profiles.

        Args:
            profile_wording: (b, w) float32 CSR, empty rows where there is no profile.
            profile_numbers: (b, 2 m) float32, 0 where unknown.
        """
        share = self.history_share(liked.counts)
        of_history = self.to_unit_deviation(liked.directions @ self.history_map)
        of_profile = self.to_unit_deviation(self.profile_map.apply(profile_wording, profile_numbers))
        factors = share[:, np.newaxis] * of_history + (1 - share)[:, np.newaxis] * of_profile
        has_words = profile_wording.getnnz(axis=1) > 0
        wording = _scaled_rows(unit_rows(liked.wording), share) + _scaled_rows(profile_wording, 1 - share)
        is_known = self._is_known(liked, has_words, profile_numbers)
        if not factors.shape[1]:
            is_known &= wording.getnnz(axis=1) > 0
        return UserView(factors, wording.tocsr().astype(np.float32, copy=False), is_known)

    def history_share(self, counts: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return (b,) float32: how much the history counts beside the profile, for so many liked items."""
        squares = counts.astype(np.float64) ** 2
        return (squares / (squares + self.half_count**2)).astype(np.float32)

    def parts(self, directions: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (h, f) user factors whose sum is those of one history of h weighted ``directions``."""
        pooled = directions.sum(axis=0, keepdims=True) @ self.history_map
        unit = self.to_unit_deviation(pooled)
        length = float(np.linalg.norm(pooled))
        return (directions @ self.history_map) * np.float32(np.linalg.norm(unit) / length if length else 0.0)

    def to_unit_deviation(self, factors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (b, f) factors scaled so that their scores over the liked items have deviation 1; 0 stays 0."""
        wide = factors.astype(np.float64)
        variances = np.sum(wide @ self.covariance * wide, axis=1)
        # Below rounding error there is no ranking to scale: all items score the same.
        has_spread = variances > 1e-12 * np.sum(wide * wide, axis=1)
        scales = np.where(has_spread, 1 / np.sqrt(np.where(has_spread, variances, 1.0)), 0.0)
        return (wide * scales[:, np.newaxis]).astype(np.float32)

    def _is_known(self, liked: Liked, has_words: NDArray[np.bool_], numbers: NDArray[np.float32]) -> NDArray[np.bool_]:
        return (liked.counts > 0) | has_words | np.any(numbers != 0, axis=1)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays and the scalar."""
        return {
            **self.profile_map.state("profile"),
            "history_map": self.history_map,
            "covariance": self.covariance,
            "half_count": np.array(self.half_count, dtype=np.float64),
        }

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from ``state``; raises EngineError where the arrays do not fit together."""
        profile_map = FeatureMap.from_state(arrays, "profile")
        history_map, covariance = (required_array(arrays, name, 2) for name in ("history_map", "covariance"))
        n_factors = len(profile_map.intercept)
        if not history_map.shape == covariance.shape == (n_factors, n_factors):
            raise EngineError(f"The engine's history_map and covariance do not fit {n_factors} factors.")
        return cls(profile_map, history_map, covariance, float(required_array(arrays, "half_count", 0)))


def _scaled_rows(matrix: sparse.csr_matrix, factors: NDArray[np.float32]) -> sparse.csr_matrix:
    data = matrix.data * np.repeat(factors, np.diff(matrix.indptr))
    return sparse.csr_matrix((data, matrix.indices, matrix.indptr), shape=matrix.shape)
