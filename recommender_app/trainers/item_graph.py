"""Item graphs: EASE^R for small catalogues, a pruned linear filter with a low-pass part for large ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from recommender_app.dataset.dataset import Dataset
from recommender_app.engines.item_graph import ItemGraphEngine
from recommender_app.exceptions import ConfigurationError, TrainingError
from recommender_app.trainers.base import Progress, Trainer, TrainerConfig, require_data, silent
from recommender_app.trainers.neighbours import normalised, power, strongest_links, strongest_of_dense
from recommender_app.trainers.spectral import leading_vectors

# Exponents of user and item degrees, chosen on a validation part of Yelp2018: popular items must
# weigh more in the low-pass part than in the links. -0.5 for items there cost about 4 % of recall@20.
_LINK_EXPONENTS = (-0.25, -0.5)
_SPECTRAL_EXPONENTS = (-0.35, -0.3)
_HISTORY_EXPONENT = -0.35
_TARGET_EXPONENT = 0.0  # but 0 for items without a like
_RIDGE_PER_ROOT_LIKE = 50.0  # see ItemGraphConfig.regularization


@dataclass(frozen=True)
class ItemGraphConfig(TrainerConfig):
    """Options of the item graph.

    Attributes:
        method: ``ease`` (dense inverse), ``filter`` (linear graph filter), or ``auto``: ease up
            to ``max_dense_items`` items.
        max_dense_items: catalogue size above which ``auto`` filters; ease needs about
            16 bytes x items^2 and items^3 operations.
        neighbours: weights kept per item, the largest by absolute value.
        regularization: ease: lambda as a multiple of the Gram's mean diagonal; None = 50 / root of
            the mean number of likes per liked item. The fewer likes, the noisier the Gram: on
            validation 10 was better than 3 on MovieLens-100k and Deskdrop; it gives about 3 where
            items have 280 likes, as on MovieLens-1M.
        target_exponent: ease: scored items are multiplied by degree^exponent.
        low_pass_vectors: filter: singular vectors of the low-pass part, 0 = none.
        low_pass_share: filter: weight of the standardised low-pass part.
    """

    method: Literal["auto", "ease", "filter"] = "auto"
    max_dense_items: int = 10_000
    neighbours: int = 500
    regularization: float | None = None
    target_exponent: float = 0.25
    low_pass_vectors: int = 256
    low_pass_share: float = 1.0

    def __post_init__(self) -> None:
        lowest = {
            "max_dense_items": 0,
            "neighbours": 1,
            "regularization": 0.0,
            "low_pass_vectors": 0,
            "low_pass_share": 0.0,
        }
        for name, least in lowest.items():
            value = getattr(self, name)
            if value is not None and not least <= value < float("inf"):
                raise ConfigurationError(f"{name}={value} must be a number from {least} on.")
        if not -10 <= self.target_exponent <= 10:
            raise ConfigurationError(f"target_exponent={self.target_exponent} must be between -10 and 10.")


class ItemGraphTrainer(Trainer):
    """EASE^R (Steck, WWW 2019) on a user-normalised Gram matrix, or GF-CF's filter (Shen et al., CIKM 2021).

    Differences from the papers: users weigh degree^-0.5 in both; links are pruned per item; the
    filter's two parts are standardised before they are added, and each has its own exponents
    of user and item degrees instead of -0.5 everywhere. Weights of interactions do not matter,
    only that they are positive.
    """

    key = "item_graph"
    Config = ItemGraphConfig

    def train(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> ItemGraphEngine:
        """Return the engine; same bytes for the same seed on one BLAS thread."""
        options = config if isinstance(config, ItemGraphConfig) else ItemGraphConfig()
        require_data(dataset, n_users=2, n_items=2, n_interactions=2)
        liked = dataset.positives.astype(np.float32)
        liked.data = np.ones_like(liked.data)
        is_small = liked.shape[1] <= options.max_dense_items
        if options.method == "ease" or (options.method == "auto" and is_small):
            return _train_ease(liked, options, progress)
        return _train_filter(liked, options, seed, progress)


def _train_ease(liked: sparse.csr_matrix, options: ItemGraphConfig, progress: Progress) -> ItemGraphEngine:
    progress(0, 3, "gram matrix")
    item_degrees = liked.getnnz(axis=0)
    by_user = normalised(liked, -0.25, 0.0)
    gram = (by_user.T @ by_user).toarray()
    gram[np.diag_indices_from(gram)] += _regularization(item_degrees, options) * float(gram.diagonal().mean())
    progress(1, 3, "inverse")
    weights = _inverse(gram)
    weights /= -weights.diagonal()[None, :]
    weights *= power(item_degrees, options.target_exponent)[None, :]
    np.fill_diagonal(weights, 0.0)
    progress(2, 3, "pruning")
    graph = strongest_of_dense(weights, options.neighbours)
    progress(3, 3, "pruning")
    n = liked.shape[1]
    no_spectrum, is_known = np.empty((n, 0), dtype=np.float32), (item_degrees > 0).astype(np.float32)
    return ItemGraphEngine(graph, no_spectrum, np.ones(n, dtype=np.float32), is_known, 0.0)


def _regularization(item_degrees: NDArray[np.integer], options: ItemGraphConfig) -> float:
    if options.regularization is not None:
        return options.regularization
    return _RIDGE_PER_ROOT_LIKE / float(item_degrees[item_degrees > 0].mean()) ** 0.5


def _inverse(gram: NDArray[np.float32]) -> NDArray[np.float32]:
    """Invert a symmetric positive definite matrix in its own memory."""
    factor, failed = lapack.spotrf(gram.T, lower=1, overwrite_a=1)
    if not failed:
        inverse, failed = lapack.spotri(factor, lower=1, overwrite_c=1)
    if failed or not np.all(np.isfinite(inverse.diagonal())):
        raise TrainingError("The item graph cannot be solved: raise its regularization.")
    lower = np.tril(inverse, -1)
    whole: NDArray[np.float32] = lower + lower.T
    whole[np.diag_indices_from(whole)] = inverse.diagonal()
    return whole


def _train_filter(liked: sparse.csr_matrix, options: ItemGraphConfig, seed: int, progress: Progress) -> ItemGraphEngine:
    item_degrees = liked.getnnz(axis=0)
    graph = strongest_links(normalised(liked, *_LINK_EXPONENTS), options.neighbours, progress)
    spectral = leading_vectors(normalised(liked, *_SPECTRAL_EXPONENTS), options.low_pass_vectors, seed)
    return ItemGraphEngine(
        graph,
        spectral,
        power(item_degrees, _HISTORY_EXPONENT),
        power(item_degrees, _TARGET_EXPONENT),
        options.low_pass_share,
    )
