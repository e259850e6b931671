"""Several interactions of a user with an item become one signed weight."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.blocks import ROWS_PER_BLOCK, blocks_of, is_repeated
from recommender_app.dataset.interactions import InteractionTable

PairWeighting = Literal["max", "log1p", "sum"]


def weigh_pairs(
    interactions: InteractionTable, shape: tuple[int, int], weighting: PairWeighting = "max"
) -> sparse.csr_matrix:
    """Return the canonical float32 CSR matrix (n_users, n_items) of one signed weight per pair.

    The newest sign decides: a pair whose last interaction is a dislike keeps only its strongest
    dislike (negative); otherwise its positive weights are combined: ``max``, ``sum``, or
    ``log1p`` of the sum. Weights of zero are dropped. The order of the input does not matter;
    at equal times a dislike wins. Interactions in the order of users are weighed in blocks of
    users, with memory for one block beside the matrix.
    """
    if len(interactions) <= ROWS_PER_BLOCK or not _is_by_user(interactions):
        return _weigh(interactions, shape, weighting)
    parts = [
        _weigh_users(interactions.select(block), shape[1], weighting) for block in blocks_of(interactions.user_rows)
    ]
    counts = np.zeros(shape[0], dtype=np.int64)
    for first, part in parts:
        counts[first : first + part.shape[0]] = part.getnnz(axis=1)
    indptr = np.concatenate(([0], np.cumsum(counts)))
    indices = np.concatenate([part.indices for _, part in parts])
    data = np.concatenate([part.data for _, part in parts])
    matrix = sparse.csr_matrix((data, indices, indptr), shape=shape)
    matrix.has_canonical_format = True
    return matrix


def _is_by_user(interactions: InteractionTable) -> bool:
    users = interactions.user_rows
    return bool((users[1:] >= users[:-1]).all())


def _weigh_users(interactions: InteractionTable, n_items: int, weighting: str) -> tuple[int, sparse.csr_matrix]:
    """Return the first user of a block and the matrix of its users."""
    first, last = int(interactions.user_rows[0]), int(interactions.user_rows[-1])
    moved = replace(interactions, user_rows=interactions.user_rows - first)
    return first, _weigh(moved, (last - first + 1, n_items), weighting)


def _weigh(interactions: InteractionTable, shape: tuple[int, int], weighting: str) -> sparse.csr_matrix:
    table = interactions.select(interactions.weights != 0)
    if not len(table):
        return sparse.csr_matrix(shape, dtype=np.float32)
    pairs = table.user_rows.astype(np.int64) * shape[1] + table.item_rows
    order = _by_pair_and_time(pairs, table)
    pairs, weights = pairs[order], table.weights[order].astype(np.float64)
    starts = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1])))
    values = _combine(weights, starts, len(pairs), weighting)
    users, items = np.divmod(pairs[starts], shape[1])
    matrix = sparse.csr_matrix((values.astype(np.float32), (users, items)), shape=shape)
    matrix.sort_indices()
    return matrix


def _by_pair_and_time(pairs: NDArray[np.int64], table: InteractionTable) -> NDArray[np.intp]:
    """Return the order by pair, time and falling weight; of sorted pairs only those that occur again move."""
    if (pairs[1:] < pairs[:-1]).any():
        return np.lexsort((-table.weights, table.times, pairs))
    order = np.arange(len(pairs))
    rows = np.flatnonzero(is_repeated(pairs))
    order[rows] = rows[np.lexsort((-table.weights[rows], table.times[rows], pairs[rows]))]
    return order


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
