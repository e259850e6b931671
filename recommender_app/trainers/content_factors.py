"""The collaborative space that the content engine maps features into."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.dataset import Dataset
from recommender_app.exceptions import NotEnoughData
from recommender_app.trainers.als import ALSTrainer
from recommender_app.trainers.als_config import ALSConfig
from recommender_app.trainers.base import Progress
from recommender_app.trainers.content_config import ContentConfig


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
    als = ALSConfig(factors=config.factors, iterations=config.iterations, n_threads=config.n_threads)
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
