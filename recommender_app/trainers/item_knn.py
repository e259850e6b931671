"""Cosine neighbours of items, from who liked what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.dataset import Dataset
from recommender_app.engines.item_knn import ItemKNNEngine
from recommender_app.exceptions import ConfigurationError
from recommender_app.trainers.base import Progress, Trainer, TrainerConfig, require_data, silent

BLOCK_CELLS = 2**24  # float32 similarities held at once: 64 MiB


@dataclass(frozen=True)
class ItemKNNConfig(TrainerConfig):
    """Options of the item neighbours.

    Attributes:
        neighbours: how many of the nearest are kept per item.
    """

    neighbours: int = 100

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ConfigurationError(f"neighbours={self.neighbours} must be at least 1.")


class ItemKNNTrainer(Trainer):
    """Item-based collaborative filtering (Sarwar et al., WWW 2001; Deshpande and Karypis, TOIS 2004).

    The similarity of two items is the cosine of their columns of likes, all likes being 1: users
    who liked both / sqrt(users who liked the one x users who liked the other).
    """

    key = "item_knn"
    Config = ItemKNNConfig

    def train(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> ItemKNNEngine:
        """Return the engine; nothing is random, ``seed`` is not used."""
        options = config if isinstance(config, ItemKNNConfig) else ItemKNNConfig()
        require_data(dataset)
        liked = dataset.positives.copy()
        liked.data = np.ones_like(liked.data)
        degrees = np.asarray(liked.sum(axis=0), dtype=np.float32).ravel()
        unit_columns = (liked @ sparse.diags_array(1 / np.sqrt(np.maximum(degrees, 1)))).tocsr()
        return ItemKNNEngine(_nearest(unit_columns, options.neighbours, progress), degrees)


def _nearest(unit_columns: sparse.csr_matrix, n_neighbours: int, progress: Progress) -> sparse.csr_matrix:
    """Return the (n_items, n_items) CSR of each item's nearest, in blocks: the whole is never in memory."""
    n_items = unit_columns.shape[1]
    by_item = unit_columns.T.tocsr()
    step = max(1, BLOCK_CELLS // n_items)
    blocks = []
    for start in range(0, n_items, step):
        cosines = (by_item[start : start + step] @ unit_columns).toarray().astype(np.float32)
        places = np.arange(len(cosines))
        cosines[places, start + places] = 0  # nobody is the own neighbour
        blocks.append(_largest(cosines, n_neighbours))
        progress(min(start + step, n_items), n_items, "comparing items")
    return sparse.csr_matrix(sparse.vstack(blocks, format="csr"))


def _largest(cosines: NDArray[np.float32], keep: int) -> sparse.csr_matrix:
    """Return the ``keep`` largest positive entries of each row; of equals at the end, the lower column."""
    n_columns = cosines.shape[1]
    if keep >= n_columns:
        return sparse.csr_matrix(cosines)
    threshold = np.partition(cosines, n_columns - keep, axis=1)[:, [n_columns - keep]]
    is_above, is_equal = cosines > threshold, cosines == threshold
    room = keep - is_above.sum(axis=1, keepdims=True)
    is_kept = is_above | (is_equal & (np.cumsum(is_equal, axis=1) <= room))
    return sparse.csr_matrix(np.where(is_kept, cosines, np.float32(0)))
