"""Paired comparison of engines: better, or just luckier on these users."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.evaluation.metrics import PerUser

N_RESAMPLES = 2_000
DRAWS_PER_CHUNK = 2**22


@dataclass(frozen=True)
class Comparison:
    """The mean difference challenger - baseline over the same users, with its interval.

    Attributes:
        baseline, challenger: means of the metric.
        low, high: bounds of the ``confidence`` bootstrap interval of the difference.
        n_users: users with a value from both; all numbers are NaN for none.
    """

    baseline: float
    challenger: float
    low: float
    high: float
    n_users: int
    confidence: float = 0.95

    @property
    def difference(self) -> float:
        """Mean of the challenger minus mean of the baseline."""
        return self.challenger - self.baseline

    @property
    def relative(self) -> float:
        """Difference as a share of the baseline; NaN where that is 0."""
        return self.difference / self.baseline if self.baseline else float("nan")

    @property
    def is_significantly_better(self) -> bool:
        """The whole interval lies above zero."""
        return self.low > 0

    @property
    def is_significantly_worse(self) -> bool:
        """The whole interval lies below zero."""
        return self.high < 0


def paired_bootstrap(
    baseline: PerUser, challenger: PerUser, seed: int = 0, n_resamples: int = N_RESAMPLES, confidence: float = 0.95
) -> Comparison:
    """Compare two engines on the same users by resampling users (percentile bootstrap).

    Both engines' values of a user are drawn together, so that easy and hard users cancel out
    (Efron and Tibshirani 1993; Sakai 2006 for retrieval metrics).

    Args:
        baseline, challenger: (n_users,) float64 of one metric, same order; users where either
            is NaN are left out.
    """
    is_known = ~(np.isnan(baseline) | np.isnan(challenger))
    baseline, challenger = baseline[is_known], challenger[is_known]
    if not len(baseline):
        nan = float("nan")
        return Comparison(nan, nan, nan, nan, 0, confidence)
    means = _resampled_means(challenger - baseline, seed, n_resamples)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    means_of_both = float(baseline.mean()), float(challenger.mean())
    return Comparison(*means_of_both, float(low), float(high), len(baseline), confidence)


def compare(evaluation: Evaluation, baseline: str, challenger: str, metric: str, seed: int = 0) -> Comparison:
    """Compare two engines of one evaluation on one metric."""
    values = evaluation.per_user
    return paired_bootstrap(values[baseline][metric], values[challenger][metric], seed)


def is_significantly_worse(
    evaluation: Evaluation, challenger: str, baseline: str, metric: str = "ndcg@10", seed: int = 0
) -> bool:
    """Return whether the 95 % interval of challenger - baseline lies wholly below zero."""
    return compare(evaluation, baseline, challenger, metric, seed).is_significantly_worse


def _resampled_means(differences: PerUser, seed: int, n_resamples: int) -> PerUser:
    rng, n = np.random.default_rng(seed), len(differences)
    means = np.empty(n_resamples)
    step = max(1, DRAWS_PER_CHUNK // n)
    for start in range(0, n_resamples, step):
        size = min(step, n_resamples - start)
        means[start : start + size] = differences[rng.integers(0, n, (size, n))].mean(axis=1)
    return means
