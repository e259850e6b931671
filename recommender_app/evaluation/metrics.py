"""How good the places of the hits are. One value per user, vectorised over users.

Definitions (k = list length, T = the user's relevant test items, h_r = 1 if rank r is a hit):

precision@k  sum(h_r) / k, also when fewer than k items were recommended.
recall@k     sum(h_r) / |T|.
hit_rate@k   1 if any h_r, else 0.
mrr@k        1 / rank of the first hit within k, 0 without one.
map@k        sum(h_r * precision@r) / min(|T|, k), so that a perfect list has 1. Some libraries,
             ranx among them, divide by |T|.
ndcg@k       sum(h_r / log2(r + 1)) / the same sum for min(|T|, k) hits at the top; binary gains.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Hits = NDArray[np.bool_]
PerUser = NDArray[np.float64]


def find_hits(rows: NDArray[np.int32], relevant: sparse.csr_matrix) -> Hits:
    """Return (b, k) bool: which recommended rows are relevant.

    Args:
        rows: (b, k) int32, -1 = padding, never a hit.
        relevant: (b, n_items) CSR; stored entries are the relevant items.
    """
    n_items = relevant.shape[1]
    users = np.repeat(np.arange(relevant.shape[0]), np.diff(relevant.indptr))
    wanted = users * np.int64(n_items) + relevant.indices
    asked = np.arange(len(rows))[:, np.newaxis] * np.int64(n_items) + rows
    return np.isin(asked, wanted) & (rows >= 0)


def accuracy(hits: Hits, n_relevant: NDArray[Any], k: int) -> dict[str, PerUser]:
    """Return every accuracy metric at ``k`` by name ("precision@10"), (b,) float64 each.

    Args:
        hits: (b, >= k) bool, best first.
        n_relevant: (b,) number of relevant test items, >= 1.
    """
    top = hits[:, :k]
    return {
        f"precision@{k}": precision(top, k),
        f"recall@{k}": recall(top, n_relevant),
        f"ndcg@{k}": ndcg(top, n_relevant, k),
        f"map@{k}": average_precision(top, n_relevant, k),
        f"mrr@{k}": reciprocal_rank(top),
        f"hit_rate@{k}": hit_rate(top),
    }


def precision(top: Hits, k: int) -> PerUser:
    """Return the share of the k places that are hits."""
    return top.sum(axis=1) / k


def recall(top: Hits, n_relevant: NDArray[Any]) -> PerUser:
    """Return the share of the relevant items that were found."""
    return top.sum(axis=1) / n_relevant


def hit_rate(top: Hits) -> PerUser:
    """Return 1 for a list with any hit, else 0."""
    return np.asarray(top.any(axis=1), dtype=np.float64)


def reciprocal_rank(top: Hits) -> PerUser:
    """Return 1 / rank of the first hit, 0 without one."""
    if not top.shape[1]:
        return np.zeros(len(top))
    return np.where(top.any(axis=1), 1.0 / (top.argmax(axis=1) + 1), 0.0)


def average_precision(top: Hits, n_relevant: NDArray[Any], k: int) -> PerUser:
    """Return the mean precision at the hits, over min(|T|, k)."""
    ranks = np.arange(1, top.shape[1] + 1)
    at_hits = np.where(top, np.cumsum(top, axis=1) / ranks, 0.0)
    return at_hits.sum(axis=1) / np.minimum(n_relevant, k)


def ndcg(top: Hits, n_relevant: NDArray[Any], k: int) -> PerUser:
    """Return the discounted gain of the hits, over that of an ideal list."""
    gains = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(gains)[np.minimum(n_relevant, k).astype(np.int64) - 1]
    return (top * gains[: top.shape[1]]).sum(axis=1) / ideal
