"""The collaborative space that the content engine maps features into."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.dataset import Dataset
from recommender_app.exceptions import NotEnoughData
from recommender_app.trainers.als import ALSTrainer
from recommender_app.trainers.als_config import DENSE, ALSConfig
from recommender_app.trainers.base import Progress
from recommender_app.trainers.content_config import ContentConfig

MANY_LIKED = 100_000  # liked pairs from which on a sparse matrix is mapped to 256 factors


class ItemFactors(NamedTuple):
    """Factors of items that somebody liked.

    Attributes:
        vectors: (n_items, f) float32, 0 for items that nobody liked; f = 0: nothing to learn from.
        is_liked: (n_items,) bool.
        history_map: (f, f) float32: (G + r I)^-1/2 for the Gramian G of the factors and ALS's
            regularisation r. Pooled item directions under it are halfway between plain pooling,
            which is best for short histories, and ALS's own fold-in, which is best for long ones,
            and need no solve per request.
        covariance: (f, f) float32 of the liked items' factors.
    """

    vectors: NDArray[np.float32]
    is_liked: NDArray[np.bool_]
    history_map: NDArray[np.float32]
    covariance: NDArray[np.float32]


def learn_factors(dataset: Dataset, config: ContentConfig, seed: int, progress: Progress) -> ItemFactors:
    """Return ALS item factors; of length 0 where there are too few interactions for ALS."""
    n_factors = config.factors or _enough_factors(dataset)
    als = ALSConfig(factors=n_factors, iterations=config.iterations, n_threads=config.n_threads)
    try:
        engine = ALSTrainer().train(dataset, als, seed, progress)
    except NotEnoughData:
        nothing = np.zeros((0, 0), dtype=np.float32)
        is_liked = dataset.positives.getnnz(axis=0) > 0
        return ItemFactors(np.zeros((dataset.n_items, 0), dtype=np.float32), is_liked, nothing, nothing)
    is_liked = engine.item_degrees > 0
    vectors = np.where(is_liked[:, np.newaxis], engine.item_factors, 0).astype(np.float32)
    return ItemFactors(
        vectors,
        is_liked,
        _inverse_root(engine.gramian, engine.regularization),
        covariance_of(vectors[is_liked]),
    )


def _enough_factors(dataset: Dataset) -> int | None:
    """Return how many factors features are mapped to; None = as many as ALS chooses for itself.

    On sparse data a map that is smoothed by a ridge can use more of them than plain ALS can.
    """
    liked = dataset.positives
    is_large = liked.nnz >= MANY_LIKED and liked.nnz < DENSE * liked.shape[0] * liked.shape[1]
    return 256 if is_large else None


def users_at_unit_deviation(liked: sparse.csr_matrix, factors: ItemFactors) -> NDArray[np.float32]:
    """Return (b, f) float32 factors of users whose scores have deviation 1 on average, for the profile map.

    (G + r I)^-1 Q'x, the linear part of ALS's fold-in. One scale for all, unlike at request time:
    their mean is then what reproduces the items' popularity best, which is what a user without
    any known feature should get. On validation, users scaled one by one lost 10 % to this.

    Args:
        liked: (b, n_items) CSR of positive weights.
    """
    users = np.asarray(liked @ factors.vectors) @ factors.history_map @ factors.history_map
    variances = np.einsum("bf,fg,bg->b", users, factors.covariance, users, dtype=np.float64, optimize=True)
    mean = float(variances.mean()) if len(variances) else 0.0
    return (users / np.sqrt(mean) if mean > 0 else users).astype(np.float32)


def covariance_of(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (f, f) float32 covariance of (n, f) vectors, n >= 1."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    return (centred.T @ centred / len(vectors)).astype(np.float32)


def _inverse_root(gramian: NDArray[np.float64], regularization: float) -> NDArray[np.float32]:
    """Return (gramian + regularization I)^-1/2, directions without any weight left at 0."""
    values, axes = np.linalg.eigh(gramian)
    values = np.maximum(values, 0) + regularization
    scales = np.where(values > 0, 1 / np.sqrt(np.where(values > 0, values, 1.0)), 0.0)
    return ((axes * scales) @ axes.T).astype(np.float32)
