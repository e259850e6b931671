"""The paired bootstrap sees real differences and no others."""

from __future__ import annotations

import numpy as np
import pytest

from recommender_app.evaluation.compare import compare, is_significantly_worse, paired_bootstrap
from recommender_app.evaluation.evaluate import Evaluation


def evaluation_of(**per_engine: list[float]) -> Evaluation:
    per_user = {name: {"ndcg@10": np.array(values)} for name, values in per_engine.items()}
    return Evaluation({}, per_user, np.arange(1, dtype=np.int32), "by hand")


def test_the_same_values_are_no_difference() -> None:
    values = np.random.default_rng(1).random(50)
    found = paired_bootstrap(values, values)
    assert (found.low, found.high, found.difference) == (0, 0, 0)
    assert not found.is_significantly_worse
    assert not found.is_significantly_better


def test_a_small_gain_for_everybody_is_significant_where_users_differ_much() -> None:
    """Paired: easy and hard users cancel out."""
    easy_and_hard = np.tile([0.0, 1.0], 50)
    found = paired_bootstrap(easy_and_hard, easy_and_hard + 0.01)
    assert found.low == pytest.approx(0.01)
    assert found.is_significantly_better
    assert found.relative == pytest.approx(0.02)


def test_a_gain_that_hangs_on_one_user_is_not_significant() -> None:
    assert not paired_bootstrap(np.zeros(20), np.eye(20)[0]).is_significantly_better


def test_the_interval_is_that_of_theory() -> None:
    """Differences of mean 0.1 and deviation 1 over 2,500 users: the mean is known to ±0.0392."""
    differences = np.random.default_rng(2).normal(size=2_500)
    differences = (differences - differences.mean()) / differences.std() + 0.1
    found = paired_bootstrap(np.zeros(2_500), differences, seed=3)
    assert found.low == pytest.approx(0.1 - 1.96 / 50, abs=0.003)
    assert found.high == pytest.approx(0.1 + 1.96 / 50, abs=0.003)


def test_the_seed_decides_the_interval() -> None:
    rng = np.random.default_rng(4)
    values = rng.random(30), rng.random(30)
    assert paired_bootstrap(*values, seed=1) == paired_bootstrap(*values, seed=1)
    assert paired_bootstrap(*values, seed=1) != paired_bootstrap(*values, seed=2)


def test_chunks_of_resamples_change_nothing_but_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(5).random((2, 40))
    whole = paired_bootstrap(*values)
    monkeypatch.setattr("recommender_app.evaluation.compare.DRAWS_PER_CHUNK", 4_000)
    assert paired_bootstrap(*values) == whole


def test_users_with_an_unknown_value_are_left_out() -> None:
    found = paired_bootstrap(np.array([1.0, np.nan, 3.0]), np.array([2.0, 5.0, np.nan]))
    assert (found.baseline, found.challenger, found.n_users) == (1, 2, 1)


def test_nobody_to_compare_is_no_verdict() -> None:
    found = paired_bootstrap(np.array([]), np.array([]))
    assert found.n_users == 0
    assert np.isnan(found.difference)
    assert not found.is_significantly_worse
    assert not found.is_significantly_better


def test_engines_of_an_evaluation_are_compared_by_name() -> None:
    evaluation = evaluation_of(popular=[0.5, 0.6, 0.7, 0.4], broken=[0.1, 0.2, 0.2, 0.0], same=[0.5, 0.6, 0.7, 0.4])
    assert is_significantly_worse(evaluation, "broken", "popular")
    assert not is_significantly_worse(evaluation, "popular", "broken")
    assert not is_significantly_worse(evaluation, "same", "popular")
    assert compare(evaluation, "popular", "broken", "ndcg@10").difference == pytest.approx(0.125 - 0.55)


def test_a_baseline_of_zero_has_no_relative_difference() -> None:
    assert np.isnan(paired_bootstrap(np.zeros(3), np.ones(3)).relative)
