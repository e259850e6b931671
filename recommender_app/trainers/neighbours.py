"""Links between items that share users, pruned to the strongest, in bounded memory."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.trainers.base import Progress

_ENTRIES_PER_BLOCK = 2**24  # of the item-item matrix held at once: at most 200 MB


def normalised(liked: sparse.csr_matrix, user_exponent: float, item_exponent: float) -> sparse.csr_matrix:
    """Return ``liked`` (n_users, n_items) with entries times user degree^a times item degree^b, float32."""
    by_user = sparse.diags_array(power(liked.getnnz(axis=1), user_exponent))
    by_item = sparse.diags_array(power(liked.getnnz(axis=0), item_exponent))
    return sparse.csr_matrix(by_user @ liked @ by_item)


def power(degrees: NDArray[np.integer], exponent: float) -> NDArray[np.float32]:
    """Return degree^exponent as float32, 0 where the degree is 0."""
    return np.where(degrees > 0, np.maximum(degrees, 1).astype(np.float32) ** exponent, 0).astype(np.float32)


def strongest_links(matrix: sparse.csr_matrix, keep: int, progress: Progress) -> sparse.csr_matrix:
    """Return ``matrix.T @ matrix`` without its diagonal, each *column* pruned to its ``keep`` largest entries.

    (n_items, n_items) float32 CSR: a scored item (column) keeps its strongest sources. On a
    validation part of Yelp2018 that gave 1-2 % more recall@20 than the strongest targets of each
    source, with 500 and 1,000 kept; with 200 it gave less. The whole product is never in memory.
    """
    n = matrix.shape[1]
    transposed = matrix.T.tocsr()
    step = max(1, _ENTRIES_PER_BLOCK // n)
    blocks = []
    for start in range(0, n, step):
        progress(start, n, "linking items")
        block = sparse.csr_matrix(transposed[start : start + step] @ matrix)
        blocks.append(_strongest(_without_diagonal(block, start), keep))
    progress(n, n, "linking items")
    return sparse.csr_matrix(sparse.vstack(blocks, format="csr").T)


def strongest_of_dense(weights: NDArray[np.float32], keep: int) -> sparse.csr_matrix:
    """Return CSR of the ``keep`` entries of largest magnitude in each row."""
    step = max(1, _ENTRIES_PER_BLOCK // max(weights.shape[1], 1))
    starts = range(0, len(weights), step)
    blocks = [_strongest(sparse.csr_matrix(weights[start : start + step]), keep) for start in starts]
    return sparse.csr_matrix(sparse.vstack(blocks, format="csr"))


def _without_diagonal(block: sparse.csr_matrix, first_row: int) -> sparse.csr_matrix:
    rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr)) + first_row
    block.data[block.indices == rows] = 0.0
    return block


def _strongest(links: sparse.csr_matrix, keep: int) -> sparse.csr_matrix:
    """Keep the largest magnitudes of each row; loops over rows, for only few entries are stored."""
    magnitude = np.abs(links.data)
    is_kept = magnitude > 0
    for start, stop in pairwise(links.indptr.tolist()):
        if stop - start > keep:
            row = magnitude[start:stop]
            is_kept[start + np.argpartition(row, stop - start - keep)[: stop - start - keep]] = False
    kept_before = np.concatenate(([0], np.cumsum(is_kept)))
    parts = links.data[is_kept], links.indices[is_kept], kept_before[links.indptr]
    return sparse.csr_matrix(parts, shape=links.shape)
