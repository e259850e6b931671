"""Guardrails: breached beyond the margin, safe within, undecided while it cannot be told."""

import pytest

from recommender_app.experiments.statistics.guardrails import Margin, Safety, guard
from recommender_app.experiments.statistics.sums import from_arrays, totals_of
from tests.benchmarks.calibrating.populations import arm, generator

TENTH = Margin(0.1, more_is_worse=True)


def guarded(lift, margin=TENTH, n=20_000):
    random = generator(3)
    return guard(arm(random, n, lift), arm(random, n), margin, 2 * n).safety


def test_more_of_what_is_bad_breaches():
    assert guarded(0.5) is Safety.BREACHED
    assert guarded(-0.5) is Safety.SAFE
    assert guarded(0.0) is Safety.SAFE
    assert guarded(0.1) is Safety.UNDECIDED
    assert guarded(0.5, n=50) is Safety.UNDECIDED


def test_less_of_what_is_good_breaches():
    of_good = Margin(0.1, more_is_worse=False)
    assert guarded(-0.5, of_good) is Safety.BREACHED
    assert guarded(0.5, of_good) is Safety.SAFE


def test_a_margin_may_be_absolute():
    assert guarded(0.5, Margin(0.1, more_is_worse=True, is_relative=False)) is Safety.SAFE
    assert guarded(0.5, Margin(0.001, more_is_worse=True, is_relative=False)) is Safety.BREACHED


def test_all_answers_of_a_treatment_falling_back_is_seen_though_control_never_does():
    always, never = totals_of([(9, 9)] * 60), totals_of([(0, 9)] * 60)
    assert guard(always, never, TENTH, 1_000).safety is Safety.BREACHED
    assert guard(never, always, TENTH, 1_000).safety is Safety.SAFE


def test_what_never_happens_tells_nothing():
    never = totals_of([(0, 9)] * 60)
    assert guard(never, never, TENTH, 1_000) is None


def test_bounds_lie_around_what_is_beyond_the_margin():
    found = guard(from_arrays([3, 5] * 50), from_arrays([2, 2.5] * 50), TENTH, 200)
    assert found.beyond == pytest.approx(4 - 1.1 * 2.25)
    assert found.at_least < found.beyond < found.at_most


def test_a_margin_below_zero_is_refused():
    with pytest.raises(ValueError, match="from 0 on"):
        Margin(-0.1, more_is_worse=True)
