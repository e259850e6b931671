"""How sure a number is: bootstrap intervals of means, and differences to the best single engine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender_app.evaluation.compare import DRAWS_PER_CHUNK, N_RESAMPLES, Comparison, paired_bootstrap
from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.evaluation.metrics import PerUser

CONFIDENCE = 0.95
COMBINED = "ensemble"  # made of the others, so not a single engine


@dataclass(frozen=True)
class Interval:
    """A mean over users with its 95 % bootstrap interval; NaN where no user has a value."""

    mean: float
    low: float
    high: float
    n_users: int


@dataclass(frozen=True)
class Estimate:
    """One engine on one metric.

    Attributes:
        interval: its mean over the users.
        best: the best single engine on this metric.
        difference: this engine minus ``best``, paired by user; None for ``best`` itself.
    """

    interval: Interval
    best: str
    difference: Comparison | None


def mean_interval(values: PerUser, seed: int = 0) -> Interval:
    """Return the mean of (n_users,) values with its interval, users being resampled; NaN values are left out."""
    return _interval(paired_bootstrap(np.zeros_like(values), values, seed))


def best_single(evaluation: Evaluation, metric: str) -> str:
    """Return the engine, the ensemble aside, with the largest mean; the first of equals.

    It is chosen on the very users it is measured on, which favours it a little: to beat it is
    therefore harder than to beat an engine that was chosen beforehand.
    """
    single = [name for name in evaluation.engines if name != COMBINED] or list(evaluation.engines)
    return max(single, key=lambda name: _sortable(evaluation.engines[name].get(metric, math.nan)))


def estimate(evaluation: Evaluation, metrics: Sequence[str], seed: int = 0) -> dict[str, dict[str, Estimate]]:
    """Return {engine: {metric: estimate}} of metrics that have a value per user; the users are resampled."""
    values = evaluation.per_user
    best = {metric: best_single(evaluation, metric) for metric in metrics}
    nothing = np.zeros(evaluation.n_users)
    pairs = {}  # (engine, metric, is a difference) -> baseline and challenger
    for engine in evaluation.engines:
        for metric in metrics:
            pairs[engine, metric, False] = (nothing, values[engine][metric])
            if engine != best[metric]:
                pairs[engine, metric, True] = (values[best[metric]][metric], values[engine][metric])
    found = dict(zip(pairs, bootstrap_all(list(pairs.values()), seed), strict=True))
    return {
        engine: {
            metric: Estimate(_interval(found[engine, metric, False]), best[metric], found.get((engine, metric, True)))
            for metric in metrics
        }
        for engine in evaluation.engines
    }


def bootstrap_all(pairs: Sequence[tuple[PerUser, PerUser]], seed: int = 0) -> list[Comparison]:
    """Return ``paired_bootstrap`` of many (baseline, challenger) over the same users, with the same draws at once.

    Where a user has no value, the pair is compared by itself on the other users.
    """
    whole = [place for place, pair in enumerate(pairs) if not np.isnan(pair[0] + pair[1]).any() and len(pair[0])]
    found = {place: paired_bootstrap(*pairs[place], seed) for place in set(range(len(pairs))) - set(whole)}
    if whole:
        differences = np.stack([pairs[place][1] - pairs[place][0] for place in whole], axis=1)
        tail = (1 - CONFIDENCE) / 2
        bounds = np.quantile(_resampled_means(differences, seed), [tail, 1 - tail], axis=0)
        for place, low, high in zip(whole, *bounds, strict=True):
            baseline, challenger = pairs[place]
            means = float(baseline.mean()), float(challenger.mean())
            found[place] = Comparison(*means, float(low), float(high), len(baseline), CONFIDENCE)
    return [found[place] for place in range(len(pairs))]


def _resampled_means(columns: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Return (N_RESAMPLES, m) means of (n, m) columns; the draws are those of ``paired_bootstrap``."""
    rng, n = np.random.default_rng(seed), len(columns)
    step = max(1, DRAWS_PER_CHUNK // n)
    means = []
    for start in range(0, N_RESAMPLES, step):
        size = min(step, N_RESAMPLES - start)
        draws = rng.integers(0, n, (size, n)) + n * np.arange(size)[:, np.newaxis]
        counts = np.bincount(draws.ravel(), minlength=size * n).reshape(size, n)
        means.append(counts.astype(np.float64) @ columns / n)
    return np.concatenate(means)


def _interval(against_nothing: Comparison) -> Interval:
    return Interval(against_nothing.challenger, against_nothing.low, against_nothing.high, against_nothing.n_users)


def _sortable(value: float) -> float:
    return -math.inf if math.isnan(value) else value
