"""The one ranking function: serving and evaluation both call it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


def top_k(
    scores: NDArray[np.float32], k: int, exclude: sparse.csr_matrix | None = None
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the k best columns of each row, best first, ties broken by the lower column.

    Args:
        scores: (b, n) float32; NaN and infinities are never returned.
        k: how many, >= 0; may exceed n.
        exclude: (b, n) CSR; stored entries (zeros too) are never returned.

    Returns:
        rows (b, k) int32 padded with -1, and scores (b, k) float32 padded with NaN.
    """
    b, n = scores.shape
    rows = np.full((b, k), -1, dtype=np.int32)
    best = np.full((b, k), np.nan, dtype=np.float32)
    for i in range(b):
        usable = np.where(np.isfinite(scores[i]), scores[i], -np.inf)
        if exclude is not None:
            usable[exclude.indices[exclude.indptr[i] : exclude.indptr[i + 1]]] = -np.inf
        chosen = _best_columns(usable, min(k, n))
        rows[i, : len(chosen)] = chosen
        best[i, : len(chosen)] = usable[chosen]
    return rows, best


def _best_columns(usable: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Return up to k columns of finite value, best first, lower column first among equals."""
    if k <= 0:
        return np.empty(0, dtype=np.intp)
    threshold = np.partition(usable, len(usable) - k)[len(usable) - k]
    if threshold == -np.inf:
        pool = np.flatnonzero(usable > -np.inf)
    else:
        above = np.flatnonzero(usable > threshold)
        equal = np.flatnonzero(usable == threshold)[: k - len(above)]
        pool = np.concatenate((above, equal))
    return pool[np.lexsort((pool, -usable[pool]))]
