"""Item graphs: EASE^R for small catalogues, a pruned linear filter with a low-pass part for large ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from recommender_app.dataset.dataset import Dataset
from recommender_app.engines.item_graph import ItemGraphEngine
from recommender_app.exceptions import TrainingError
from recommender_app.trainers.base import Progress, Trainer, TrainerConfig, require_data, silent

_BLOCK_ITEMS = 1024


@dataclass(frozen=True)
class ItemGraphConfig(TrainerConfig):
    """Options of the item graph.

    Attributes:
        method: ``ease`` (dense inverse), ``filter`` (linear graph filter), or ``auto``: ease up
            to ``max_dense_items`` items.
        max_dense_items: catalogue size above which ``auto`` filters; ease needs about
            12 bytes x items^2 and items^3 operations.
        neighbours: weights kept per item, the largest by absolute value.
        regularization: ease: lambda as a multiple of the Gram's mean diagonal.
        target_exponent: ease: scored items are multiplied by degree^exponent.
        low_pass_vectors: filter: singular vectors of the low-pass part, 0 = none.
        low_pass_share: filter: weight of the standardised low-pass part.
    """

    method: Literal["auto", "ease", "filter"] = "auto"
    max_dense_items: int = 10_000
    neighbours: int = 500
    regularization: float = 3.0
    target_exponent: float = 0.25
    low_pass_vectors: int = 256
    low_pass_share: float = 0.2


class ItemGraphTrainer(Trainer):
    """EASE^R (Steck, WWW 2019) on a user-normalised Gram matrix, or GF-CF's filter (Shen et al., CIKM 2021).

    Differences: every user weighs degree^-0.5 in the Gram; weights are pruned per item; the
    filter's two parts are standardised before they are added.
    """

    key = "item_graph"
    Config = ItemGraphConfig

    def train(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> ItemGraphEngine:
        """Return the engine; see ``Trainer.train``."""
        options = config if isinstance(config, ItemGraphConfig) else ItemGraphConfig()
        require_data(dataset, n_users=2, n_items=2, n_interactions=2)
        liked = dataset.positives.astype(np.float32)
        liked.data = np.ones_like(liked.data)
        is_small = liked.shape[1] <= options.max_dense_items
        if options.method == "ease" or (options.method == "auto" and is_small):
            return _train_ease(liked, options, progress)
        return _train_filter(liked, options, seed, progress)


def _train_ease(liked: sparse.csr_matrix, options: ItemGraphConfig, progress: Progress) -> ItemGraphEngine:
    progress(0, 2, "gram matrix")
    item_degree = _degrees(liked, axis=0)
    by_user = sparse.diags_array(_power(_degrees(liked, axis=1), -0.5)) @ liked
    gram = np.asarray((by_user.T @ by_user).todense(), dtype=np.float32)
    ridge = options.regularization * float(gram.diagonal().mean())
    gram[np.diag_indices_from(gram)] += ridge
    progress(1, 2, "inverse")
    try:
        inverse = linalg.inv(gram, overwrite_a=True, check_finite=True, assume_a="pos")
    except (linalg.LinAlgError, ValueError) as error:
        raise TrainingError(f"The item graph cannot be solved ({error}): raise its regularization.") from error
    weights = inverse / -inverse.diagonal()[None, :]
    weights *= _power(item_degree, options.target_exponent)[None, :]
    np.fill_diagonal(weights, 0.0)
    weights[:, item_degree == 0] = 0.0
    graph = _prune(weights, options.neighbours)
    progress(2, 2, "inverse")
    n = liked.shape[1]
    ones = np.ones(n, dtype=np.float32)
    is_known = (item_degree > 0).astype(np.float32)
    return ItemGraphEngine(graph, ones, np.empty((n, 0), dtype=np.float32), is_known, 0.0)


def _train_filter(liked: sparse.csr_matrix, options: ItemGraphConfig, seed: int, progress: Progress) -> ItemGraphEngine:
    item_scale = _power(_degrees(liked, axis=0), -0.5)
    user_scale = _power(_degrees(liked, axis=1), -0.5)
    normalised = (sparse.diags_array(user_scale) @ liked @ sparse.diags_array(item_scale)).tocsr()
    graph = _filter_graph(normalised, options.neighbours, progress)
    spectral = _spectral_vectors(normalised, options.low_pass_vectors, seed)
    output_scale = np.where(item_scale > 0, 1.0 / np.maximum(item_scale, 1e-6), 0.0).astype(np.float32)
    return ItemGraphEngine(graph, item_scale, spectral, output_scale, options.low_pass_share)


def _filter_graph(normalised: sparse.csr_matrix, neighbours: int, progress: Progress) -> sparse.csr_matrix:
    """R~^T R~ without its diagonal, block by block: the whole is never in memory."""
    n = normalised.shape[1]
    transposed = normalised.T.tocsr()
    blocks = []
    for start in range(0, n, _BLOCK_ITEMS):
        progress(start, n, "linking items")
        block = np.asarray((transposed[start : start + _BLOCK_ITEMS] @ normalised).todense(), dtype=np.float32)
        block[np.arange(len(block)), np.arange(start, start + len(block))] = 0.0
        blocks.append(_prune(block, neighbours))
    progress(n, n, "linking items")
    return sparse.vstack(blocks, format="csr")


def _spectral_vectors(normalised: sparse.csr_matrix, n_vectors: int, seed: int) -> NDArray[np.float32]:
    """Return (n_items, r) leading right singular vectors, signs fixed so that equal seeds give equal bytes."""
    r = min(n_vectors, min(normalised.shape) - 1)
    if r < 1:
        return np.empty((normalised.shape[1], 0), dtype=np.float32)
    start = np.random.default_rng(seed).standard_normal(min(normalised.shape))
    _, _, vectors = sparse.linalg.svds(normalised.astype(np.float64), k=r, v0=start)
    vectors = vectors[::-1]
    heaviest = np.abs(vectors).argmax(axis=1)
    vectors *= np.sign(vectors[np.arange(r), heaviest])[:, None]
    return np.ascontiguousarray(vectors.T, dtype=np.float32)


def _prune(weights: NDArray[np.float32], keep: int) -> sparse.csr_matrix:
    """Return CSR of the ``keep`` largest entries by absolute value of each row."""
    if keep < weights.shape[1]:
        magnitude = np.abs(weights)
        threshold = np.partition(magnitude, -keep, axis=1)[:, -keep][:, None]
        weights = np.where(magnitude >= threshold, weights, np.float32(0))
    return sparse.csr_matrix(weights)


def _degrees(liked: sparse.csr_matrix, axis: int) -> NDArray[np.float32]:
    return np.asarray(liked.sum(axis=axis), dtype=np.float32).ravel()


def _power(degrees: NDArray[np.float32], exponent: float) -> NDArray[np.float32]:
    """degree^exponent, 0 where the degree is 0."""
    return np.where(degrees > 0, np.maximum(degrees, 1) ** exponent, 0).astype(np.float32)
