"""Intervals of means and differences to the best single engine."""

import math

import numpy as np
import pytest

from recommender_app.evaluation.compare import paired_bootstrap
from recommender_app.evaluation.evaluate import Evaluation, mean_of_known
from recommender_app.evaluation.intervals import best_single, bootstrap_all, estimate, mean_interval

METRIC = "ndcg@10"


def evaluation_of(**values):
    per_user = {engine: {METRIC: np.asarray(of_users, dtype=float)} for engine, of_users in values.items()}
    engines = {engine: {METRIC: mean_of_known(measured[METRIC])} for engine, measured in per_user.items()}
    n = len(next(iter(values.values())))
    return Evaluation(engines, per_user, np.arange(n, dtype=np.int32), "toy")


def test_an_interval_lies_around_its_mean_and_narrows_with_users():
    few = mean_interval(np.tile([0.0, 1.0], 10))
    many = mean_interval(np.tile([0.0, 1.0], 1000))
    for interval in (few, many):
        assert interval.low < 0.5 < interval.high
        assert interval.mean == 0.5
    assert many.high - many.low < (few.high - few.low) / 5


def test_the_standard_error_is_met():
    """Of a mean of n coin flips it is 0.5 / sqrt(n); a 95 % interval is about 3.92 of them wide."""
    interval = mean_interval(np.tile([0.0, 1.0], 200))
    assert interval.high - interval.low == pytest.approx(3.92 * 0.5 / 20, rel=0.1)


def test_many_at_once_are_the_same_as_one_by_one():
    rng = np.random.default_rng(0)
    pairs = [(rng.random(40), rng.random(40)) for _ in range(3)]
    pairs[1][0][5] = np.nan
    for together, (baseline, challenger) in zip(bootstrap_all(pairs, 3), pairs, strict=True):
        alone = paired_bootstrap(baseline, challenger, 3)
        for name in ("baseline", "challenger", "low", "high", "n_users"):
            assert getattr(together, name) == pytest.approx(getattr(alone, name))


def test_the_ensemble_is_no_single_engine():
    evaluation = evaluation_of(als=[0.1, 0.2], popular=[0.1, 0.1], ensemble=[0.9, 0.9])
    assert best_single(evaluation, METRIC) == "als"
    found = estimate(evaluation, [METRIC])
    assert found["als"][METRIC].difference is None
    assert found["ensemble"][METRIC].difference.is_significantly_better
    assert found["popular"][METRIC].difference.difference == pytest.approx(-0.05)


def test_an_engine_without_a_value_is_never_the_best():
    assert best_single(evaluation_of(a=[np.nan], b=[0.1]), METRIC) == "b"


def test_nobody_measured_gives_unknown_numbers():
    found = estimate(evaluation_of(a=[], b=[]), [METRIC])
    assert math.isnan(found["a"][METRIC].interval.low)
    assert found["b"][METRIC].difference.n_users == 0
