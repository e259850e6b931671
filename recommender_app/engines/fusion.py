"""Scores of several engines become one: the pure arithmetic of the ensemble."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Fusion = Literal["weighted", "rrf", "hybrid"]
FUSIONS: tuple[Fusion, ...] = ("weighted", "rrf", "hybrid")
RRF_K = 60
HYBRID_RANK_SHARE = 0.5


def fuse(scores: NDArray[np.float32], weights: NDArray[np.float32], fusion: Fusion, depth: int) -> NDArray[np.float32]:
    """Return (b, n) float32 fused scores; NaN where no engine has an opinion.

    An engine without an opinion on an item gives it the engine's worst (0). Engines without
    any opinion for a user do not count for that user.

    Args:
        scores: (m, b, n) float32 of m engines, NaN = no opinion.
        weights: (m,) float32, >= 0.
        fusion: ``weighted``: sum of min-max normalised scores; ``rrf``: sum of 1 / (60 + rank)
            (Cormack, Clarke, Büttcher, SIGIR 2009), scaled so that first place is worth 1;
            ``hybrid``: half of each.
        depth: an engine's items beyond this rank count as not proposed, 0 = all count.
    """
    fused = np.zeros(scores.shape[1:], dtype=np.float32)
    for engine_scores, weight in zip(scores, weights, strict=True):
        if weight > 0:
            fused += weight * normalise(engine_scores, fusion, depth)
    fused[np.isnan(scores[weights > 0]).all(axis=0)] = np.nan
    return fused


def normalise(scores: NDArray[np.float32], fusion: Fusion, depth: int) -> NDArray[np.float32]:
    """Return one engine's (b, n) contribution, within 0..1, 0 where it has no opinion."""
    if fusion == "weighted":
        return min_max(_top_only(scores, depth))
    ranked = reciprocal_ranks(_top_only(scores, depth))
    if fusion == "rrf":
        return ranked
    return (1 - HYBRID_RANK_SHARE) * min_max(_top_only(scores, depth)) + HYBRID_RANK_SHARE * ranked


def min_max(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (score - min) / (max - min) per row; 1 for every opinion where max = min; 0 for NaN."""
    has_opinion = np.isfinite(scores)
    low = np.min(np.where(has_opinion, scores, np.inf), axis=1, keepdims=True)
    high = np.max(np.where(has_opinion, scores, -np.inf), axis=1, keepdims=True)
    with np.errstate(invalid="ignore", over="ignore"):
        spread = high - low
        scaled = (scores - low) / np.where(spread > 0, spread, 1)
    scaled = np.where(spread > 0, scaled, 1.0)
    return np.where(has_opinion, scaled, 0.0).astype(np.float32)


def reciprocal_ranks(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 61 / (60 + rank) per row, rank 1 = best, equal scores ranked by column; 0 for NaN."""
    order = np.argsort(-np.where(np.isfinite(scores), scores, -np.inf), axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, scores.shape[1] + 1)[None, :], axis=1)
    worth = (RRF_K + 1) / (RRF_K + ranks)
    return np.where(np.isfinite(scores), worth, 0.0).astype(np.float32)


def _top_only(scores: NDArray[np.float32], depth: int) -> NDArray[np.float32]:
    """NaN for everything below the depth-th best score of a row."""
    n = scores.shape[1]
    if not 0 < depth < n:
        return scores
    usable = np.where(np.isfinite(scores), scores, -np.inf)
    threshold = np.partition(usable, n - depth, axis=1)[:, n - depth][:, None]
    return np.where(usable >= threshold, scores, np.nan)
