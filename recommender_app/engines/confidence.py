"""How strongly a history weight counts in factorisation: one rule for training and fold-in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.engines.base import required_array


@dataclass(frozen=True)
class Confidence:
    """Signed confidence = weight * scale * user degree ** -user_exponent * item degree ** -item_exponent.

    Degrees count what is liked: the user's in the history at hand, the item's in training. Heavy
    users and popular items then no longer drown the rest. A dislike counts at least 1, the
    confidence of an item that was never seen: below it, disliking would be a recommendation.

    Attributes:
        scale: the ``alpha`` of the literature, times what brings the mean of |weights| to 1.
        user_exponent, item_exponent: 0.5 = symmetric normalisation, 0 = none.
    """

    scale: float
    user_exponent: float
    item_exponent: float

    def of(self, weights: sparse.csr_matrix, item_degrees: NDArray[np.float32]) -> sparse.csr_matrix:
        """Return (b, n_items) float32 CSR of signed confidences, negative = disliked.

        Args:
            weights: (b, n_items) canonical CSR of signed weights.
            item_degrees: (n_items,) users who liked each item in training; 0 counts as 1.
        """
        sizes = np.diff(weights.indptr)
        user_of_entry = np.repeat(np.arange(weights.shape[0]), sizes)
        liked = np.bincount(user_of_entry[weights.data > 0], minlength=weights.shape[0])
        by_user = np.maximum(liked, 1.0) ** -self.user_exponent * self.scale
        by_item = np.maximum(item_degrees[weights.indices], 1.0).astype(np.float64) ** -self.item_exponent
        values = weights.data * by_user[user_of_entry] * by_item
        values = np.where(values < 0, np.minimum(values, -1.0), values)
        return sparse.csr_matrix((values.astype(np.float32), weights.indices, weights.indptr), shape=weights.shape)

    def scalars(self) -> dict[str, float]:
        """Return the numbers that ``from_arrays`` needs."""
        return {
            "confidence_scale": self.scale,
            "user_exponent": self.user_exponent,
            "item_exponent": self.item_exponent,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from ``scalars()`` stored as 0-d arrays."""
        names = ("confidence_scale", "user_exponent", "item_exponent")
        return cls(*(float(required_array(arrays, name, 0)) for name in names))
