"""What the ALS trainer can be told, and what it chooses by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from scipy import sparse

from recommender_app.exceptions import ConfigurationError
from recommender_app.trainers.base import TrainerConfig

DENSE = 0.01  # share of the matrix that is filled, from which on few factors are enough
LARGE = 500_000  # liked pairs from which on a sparse matrix deserves many factors


@dataclass(frozen=True)
class ALSConfig(TrainerConfig):
    """Options of the ALS trainer; None = chosen by the data in ``resolve``.

    Attributes:
        factors: length of the vectors; at most min(users, items) - 1. None: 64 on dense or small
            data, where more overfits; 128 on sparse, 256 on sparse data with many interactions.
        regularization: None: grows with the number of interactions up to 20.
        iterations: alternations; each costs the same.
        alpha: mean confidence of a liked pair. None: ``0.5 * density ** -0.5``.
        normalization: exponent of the user's and of the item's degree that weights are divided by;
            0 = raw weights.
        popularity_exponent: scores are multiplied by the item's degree to this power. None: 0.15
            on dense data, 0 on sparse.
        n_threads: 0 = all cores; only 1 promises the same bytes for the same seed.
    """

    factors: int | None = None
    regularization: float | None = None
    iterations: int = 10
    alpha: float | None = None
    normalization: float = 0.5
    popularity_exponent: float | None = None
    n_threads: int = 0

    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "plan": {
            "factors": 128,
            "regularization": 0.01,
            "iterations": 15,
            "alpha": 40.0,
            "normalization": 0.0,
            "popularity_exponent": 0.0,
        }
    }

    def __post_init__(self) -> None:
        lowest = {"factors": 1, "regularization": 0.0, "iterations": 1, "normalization": 0.0, "n_threads": 0}
        for name, least in lowest.items():
            value = getattr(self, name)
            if value is not None and not least <= value < float("inf"):
                raise ConfigurationError(f"{name}={value} must be a number from {least} on.")
        if self.alpha is not None and not 0 < self.alpha < float("inf"):
            raise ConfigurationError(f"alpha={self.alpha} must be a positive number.")

    def resolve(self, liked: sparse.csr_matrix) -> Self:
        """Return the same options with every None decided.

        Args:
            liked: (n_users, n_items) CSR of the positive weights, at least one entry.
        """
        n_users = int((liked.getnnz(axis=1) > 0).sum())
        n_items = int((liked.getnnz(axis=0) > 0).sum())
        density = liked.nnz / (n_users * n_items)
        chosen = {
            "factors": _factors(density, liked.nnz),
            "regularization": min(20.0, 0.08 * liked.nnz**0.5),
            "alpha": 0.5 * density**-0.5,
            "popularity_exponent": 0.15 if density >= DENSE else 0.0,
        }
        decided = {name: value for name, value in chosen.items() if getattr(self, name) is None}
        resolved = dataclasses.replace(self, **decided)
        most = max(1, min(n_users, n_items) - 1)
        return dataclasses.replace(resolved, factors=min(resolved.factors or 1, most))


def _factors(density: float, n_liked: int) -> int:
    if density >= DENSE:
        return 64
    return 256 if n_liked >= LARGE else 128
