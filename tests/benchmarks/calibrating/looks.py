"""Tests of nothing: how often a difference is seen although there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import kstest

from recommender_app.experiments.statistics.confidence_sequence import always_valid_read_out
from recommender_app.experiments.statistics.fixed_horizon import fixed_read_out
from recommender_app.experiments.statistics.multiplicity import holm
from recommender_app.experiments.statistics.ratio import Difference, compare
from recommender_app.experiments.statistics.sums import Totals, from_arrays
from tests.benchmarks.calibrating.figure import Figure, share
from tests.benchmarks.calibrating.populations import arm, days_of_arm, generator

ALPHA = 0.05
USERS = 500  # per arm
TREATMENTS = "abc"


def converted(random: np.random.Generator, n: int) -> Totals:
    """Return how many users did it at all."""
    return from_arrays(random.random(n) < 0.08)


def seconds(random: np.random.Generator, n: int) -> Totals:
    """Return how long users stayed: some very long."""
    return from_arrays(random.lognormal(5, 1, n))


def one_look(runs: int) -> list[Figure]:
    """Look once, at the planned sample, at a proportion, a mean and a ratio."""
    drawn: dict[str, Callable[[np.random.Generator, int], Totals]]
    drawn = {"proportion": converted, "mean": seconds, "ratio": arm}
    figures = []
    for place, (kind, draw) in enumerate(drawn.items()):
        p_values = [_p_value(draw, generator(1, place, run)) for run in range(runs)]
        hits = sum(p_value < ALPHA for p_value in p_values)
        name = f"A/A, fixed horizon, {kind}"
        figures.append(share(f"{name}: false positives", hits, runs, 0.035, 0.065))
        if draw is not converted:  # counts of few are often equal, and equal counts have p = 1
            uniform = float(kstest(p_values, "uniform").pvalue)
            figures.append(Figure(f"{name}: p-values are uniform (Kolmogorov-Smirnov p)", uniform, 0.001))
    return figures


def daily_looks(runs: int) -> list[Figure]:
    """Look every day of 28, at users who keep coming and at users who were all there on the first day."""
    figures = []
    for place, (is_arriving, who) in enumerate([(True, "arriving users"), (False, "the same users")]):
        always, fixed = 0, 0
        for run in range(runs):
            random = generator(2, place, run)
            differences = _days(random, 2 * USERS, is_arriving=is_arriving)
            always += any(always_valid_read_out(each, 4 * USERS).p_value < ALPHA for each in differences)
            fixed += any(fixed_read_out(each).p_value < ALPHA for each in differences)
        figures.append(
            share(f"A/A, 28 daily looks, {who}, always-valid: ever a false positive", always, runs, None, ALPHA)
        )
        figures.append(share(f"A/A, 28 daily looks, {who}, fixed horizon (why it is locked)", fixed, runs, 0.08))
    return figures


def several_treatments(runs: int) -> list[Figure]:
    """Compare three treatments that do nothing with one control."""
    adjusted, raw = 0, 0
    for run in range(runs):
        random = generator(3, run)
        control = arm(random, USERS)
        p_values = {key: _fixed_p(compare(arm(random, USERS), control)) for key in TREATMENTS}
        adjusted += min(holm(p_values).values()) < ALPHA
        raw += min(p_values.values()) < ALPHA
    return [
        share("A/A/A/A, Holm: any false positive", adjusted, runs, None, 0.065),
        share("A/A/A/A, without Holm (why it is needed)", raw, runs, 0.08),
    ]


def _p_value(draw: Callable[[np.random.Generator, int], Totals], random: np.random.Generator) -> float:
    return _fixed_p(compare(draw(random, USERS), draw(random, USERS)))


def _fixed_p(difference: Difference | None) -> float:
    assert difference is not None
    return fixed_read_out(difference).p_value


def _days(random: np.random.Generator, n: int, *, is_arriving: bool) -> Sequence[Difference]:
    arms = [days_of_arm(random, n, is_arriving=is_arriving) for _ in range(2)]
    return [found for pair in zip(*arms, strict=True) if (found := compare(*pair))]
