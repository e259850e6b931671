"""Several interactions of a user with an item become one signed weight."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.interactions import InteractionTable

PairWeighting = Literal["max", "log1p", "sum"]


def weigh_pairs(
    interactions: InteractionTable, shape: tuple[int, int], weighting: PairWeighting = "max"
) -> sparse.csr_matrix:
    """Return the canonical float32 CSR matrix (n_users, n_items) of one signed weight per pair.

    The newest sign decides: a pair whose last interaction is a dislike keeps only its strongest
    dislike (negative); otherwise its positive weights are combined: ``max``, ``sum``, or
    ``log1p`` of the sum. Weights of zero are dropped. The order of the input does not matter;
    at equal times a dislike wins.
    """
    table = interactions.select(interactions.weights != 0)
    if not len(table):
        return sparse.csr_matrix(shape, dtype=np.float32)
    pairs = table.user_rows.astype(np.int64) * shape[1] + table.item_rows
    order = np.lexsort((-table.weights, table.times, pairs))
    pairs, weights = pairs[order], table.weights[order].astype(np.float64)
    starts = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1])))
    values = _combine(weights, starts, len(pairs), weighting)
    users, items = np.divmod(pairs[starts], shape[1])
    matrix = sparse.csr_matrix((values.astype(np.float32), (users, items)), shape=shape)
    matrix.sort_indices()
    return matrix


def _combine(weights: NDArray[np.float64], starts: NDArray[np.intp], n: int, weighting: str) -> NDArray[np.float64]:
    ends = np.concatenate((starts[1:], [n])) - 1
    is_disliked = weights[ends] < 0
    strongest_dislike = np.minimum.reduceat(weights, starts)
    positive = np.maximum(weights, 0.0)
    if weighting == "max":
        liked = np.maximum.reduceat(positive, starts)
    else:
        liked = np.add.reduceat(positive, starts)
        liked = np.log1p(liked) if weighting == "log1p" else liked
    return np.where(is_disliked, strongest_dislike, liked)
