"""The one ranking function: serving and evaluation both call it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

_SAMPLE_STEP = 16  # every 16th score is looked at to guess what the k-th best is
_SAMPLED_FROM = 8192  # below, sorting out all scores is as quick as guessing


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
    if exclude is not None and exclude.nnz:
        scores = scores.copy()
    return top_k_in_place(scores, k, exclude)


def top_k_in_place(
    scores: NDArray[np.float32], k: int, exclude: sparse.csr_matrix | None = None
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Do what ``top_k`` does, and leave -inf in ``scores`` where ``exclude`` has entries: no copy is made."""
    b, n = scores.shape
    rows = np.full((b, k), -1, dtype=np.int32)
    best = np.full((b, k), np.nan, dtype=np.float32)
    for i in range(b):
        if exclude is not None:
            scores[i, exclude.indices[exclude.indptr[i] : exclude.indptr[i + 1]]] = -np.inf
        chosen = _best_columns(scores[i], min(k, n))
        rows[i, : len(chosen)] = chosen
        best[i, : len(chosen)] = scores[i, chosen]
    return rows, best


def _best_columns(scores: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Return up to k columns of finite value, best first, lower column first among equals."""
    if k <= 0:
        return np.empty(0, dtype=np.intp)
    pool = _promising(scores, k)
    values = scores[pool]
    if k < len(pool):
        threshold = np.partition(values, len(values) - k)[len(values) - k]
        is_kept = values > threshold
        ties = np.flatnonzero(values == threshold)[: k - np.count_nonzero(is_kept)]
        is_kept[ties] = True
        pool, values = pool[is_kept], values[is_kept]
    return pool[np.argsort(-values, kind="stable")]


def _promising(scores: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Return ascending columns of finite value, the k best and those equal to the k-th among them.

    The catalogue is passed over once, against a threshold guessed from a sample. Whether the guess
    was good shows in what it leaves: fewer than k columns, and all are taken instead.
    """
    if len(scores) >= _SAMPLED_FROM and k * 4 <= len(scores):
        pool = np.flatnonzero(scores >= _guess(scores, k))
        pool = pool[np.isfinite(scores[pool])]
        if len(pool) >= k:
            return pool
    return np.flatnonzero(np.isfinite(scores))


def _guess(scores: NDArray[np.float32], k: int) -> np.float32:
    """Return a value that some more than k scores should reach."""
    sample = scores[::_SAMPLE_STEP]
    sample = sample[np.isfinite(sample)]
    expected = k / _SAMPLE_STEP
    rank = int(expected + 4 * expected**0.5 + 4)  # a miss is once in thousands where order is by chance
    if rank >= len(sample):
        return np.float32(-np.inf)
    return np.partition(sample, len(sample) - rank)[len(sample) - rank]
