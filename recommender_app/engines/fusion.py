"""Scores of several engines become one: the pure arithmetic of the ensemble."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Fusion = Literal["weighted", "rrf", "hybrid"]
FUSIONS: tuple[Fusion, ...] = ("weighted", "rrf", "hybrid")
RRF_K = 60
HYBRID_RANK_SHARE = 0.5

Array = NDArray[np.float32]


def fuse(members: Iterable[tuple[float, Array]], history: sparse.csr_matrix, fusion: Fusion, depth: int) -> Array:
    """Return the (b, n) float32 weighted sum of members' contributions, NaN where none has an opinion.

    Args:
        members: (weight, (b, n) scores) of each.
        history, fusion, depth: see ``normalise``.
    """
    fused = np.zeros(history.shape, dtype=np.float32)
    has_opinion = np.zeros(fused.shape, dtype=bool)
    for weight, scores in members:
        has_opinion |= np.isfinite(scores)
        fused += np.float32(weight) * normalise(scores, history, fusion, depth)
    fused[~has_opinion] = np.nan
    return fused


def normalise(scores: Array, history: sparse.csr_matrix, fusion: Fusion, depth: int) -> Array:
    """Return one engine's (b, n) float32 contribution to the fused score; 0 where it has no opinion.

    Scale and ranks are taken from the items outside the history: those are what is compared,
    while an engine usually scores the history itself far above them. A history item is worth 1 at most.

    Args:
        scores: (b, n) float32, NaN = no opinion.
        history: (b, n) CSR, stored entries = the user's own items.
        fusion: ``weighted``: min-max; ``rrf``: 61 / (60 + rank) (Cormack, Clarke, Büttcher,
            SIGIR 2009, scaled so that first place is worth 1); ``hybrid``: half of each.
        depth: items below this rank count as not proposed (0); 0 = all count.
    """
    fresh = _outside(scores, history)
    floor = _floor(fresh, depth)
    if fusion == "weighted":
        contribution = _min_max(scores, fresh, floor)
    else:
        contribution = _reciprocal_ranks(scores, fresh)
        if fusion == "hybrid":
            scaled = _min_max(scores, fresh, floor)
            contribution = (1 - HYBRID_RANK_SHARE) * scaled + HYBRID_RANK_SHARE * contribution
    with np.errstate(invalid="ignore"):
        is_proposed = scores >= floor
    return np.where(is_proposed, contribution, 0).astype(np.float32)


def _outside(scores: Array, history: sparse.csr_matrix) -> Array:
    """The scores with -inf for the history and where there is no opinion."""
    fresh = np.where(np.isfinite(scores), scores, -np.inf)
    rows = np.repeat(np.arange(len(scores)), np.diff(history.indptr))
    fresh[rows, history.indices] = -np.inf
    return fresh


def _floor(fresh: Array, depth: int) -> Array:
    """(b, 1): the lowest score that still counts as proposed."""
    n = fresh.shape[1]
    if 0 < depth < n:
        deepest = np.partition(fresh, n - depth, axis=1)[:, n - depth][:, None]
        if np.isfinite(deepest).all():
            return deepest
        lowest = np.min(np.where(fresh == -np.inf, np.inf, fresh), axis=1, keepdims=True, initial=np.inf)
        return np.where(np.isfinite(deepest), deepest, lowest)
    return np.min(np.where(fresh == -np.inf, np.inf, fresh), axis=1, keepdims=True, initial=np.inf)


def _min_max(scores: Array, fresh: Array, low: Array) -> Array:
    """(score - low) / (high - low) within 0..1; 1 where all scores are equal."""
    high = np.max(fresh, axis=1, keepdims=True, initial=-np.inf)
    spread = high - low
    is_spread = np.isfinite(spread) & (spread > 0)
    with np.errstate(invalid="ignore"):
        return np.where(is_spread, np.clip((scores - low) / np.where(is_spread, spread, 1), 0, 1), 1.0)


def _reciprocal_ranks(scores: Array, fresh: Array) -> Array:
    """61 / (60 + rank); the rank counts better items outside the history; equal ones rank by column."""
    order = np.argsort(-fresh, axis=1, kind="stable")
    ranks = np.empty(fresh.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, np.arange(1, fresh.shape[1] + 1)[None, :], axis=1)
    for row, column in zip(*np.nonzero(np.isfinite(scores) & (fresh == -np.inf)), strict=True):
        ranks[row, column] = 1 + np.count_nonzero(fresh[row] > scores[row, column])
    return ((RRF_K + 1) / (RRF_K + ranks)).astype(np.float32)
