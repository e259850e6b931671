"""The delta method's variance against that of a bootstrap over users."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender_app.experiments.statistics.delta import standard_error
from recommender_app.experiments.statistics.sums import from_arrays
from tests.benchmarks.calibrating.figure import STRICT_RUNS, Figure
from tests.benchmarks.calibrating.populations import Counts, generator, visitors

DRAWS = 40
RESAMPLES, AT_ONCE = 4_000, 200


def variances(runs: int) -> list[Figure]:
    """Compare them for few and many users per arm; with 5,000 of them in long runs only."""
    sizes = (50, 500, 5_000) if runs >= STRICT_RUNS else (50, 500)
    figures = []
    for n in sizes:
        found = [_ratio(*visitors(generator(4, n, draw), n), generator(5, n, draw)) for draw in range(DRAWS)]
        name = f"delta variance / bootstrap variance, {n} users per arm"
        figures += [
            Figure(f"{name}: mean of {DRAWS} draws", float(np.mean(found)), 0.97, 1.03),
            Figure(f"{name}: 5 % are below", float(np.quantile(found, 0.05)), 0.90),
            Figure(f"{name}: 5 % are above", float(np.quantile(found, 0.95)), None, 1.12),
        ]
    return figures


def _ratio(clicks: Counts, impressions: Counts, random: np.random.Generator) -> float:
    error = standard_error(from_arrays(clicks, impressions))
    assert error is not None
    return error**2 / float(_resampled(clicks, impressions, random).var())


def _resampled(clicks: Counts, impressions: Counts, random: np.random.Generator) -> NDArray[np.float64]:
    n, rates = len(clicks), []
    for _ in range(RESAMPLES // AT_ONCE):
        chosen = random.integers(0, n, (AT_ONCE, n), dtype=np.int32)
        rates.append(clicks[chosen].sum(axis=1) / impressions[chosen].sum(axis=1))
    return np.concatenate(rates)
