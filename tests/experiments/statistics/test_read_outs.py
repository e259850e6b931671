"""The read-out for every day, and the one for the planned sample only."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.experiments.statistics.confidence_sequence import always_valid_read_out, half_width
from recommender_app.experiments.statistics.fixed_horizon import fixed_read_out, is_unlocked
from recommender_app.experiments.statistics.ratio import Difference, Estimate, compare
from recommender_app.experiments.statistics.read_out import read_out
from tests.benchmarks.calibrating.populations import arm, generator


def test_at_the_planned_users_it_is_three_standard_errors_wide_instead_of_two():
    assert half_width(10_000, 10_000, 0.05) == pytest.approx(3.035, abs=0.001)


def test_it_is_narrowest_about_where_it_was_planned():
    scaled = {n: half_width(n, 10_000, 0.05) for n in (1_000, 10_000, 100_000)}
    assert min(scaled, key=scaled.get) == 10_000


def test_more_users_make_a_narrower_interval():
    random = generator(1)
    widths = []
    for n in (100, 400, 1_600, 6_400):
        read = always_valid_read_out(compare(arm(random, n), arm(random, n)), 3_200)
        widths.append(read.high - read.low)
    assert widths == sorted(widths, reverse=True)


@given(st.floats(-8, 8), st.integers(100, 100_000), st.integers(0, 100_000), st.sampled_from([0.01, 0.05, 0.1]))
def test_p_is_below_alpha_just_where_the_interval_leaves_out_zero(z, n, planned, alpha):
    difference = Difference(Estimate(0.1 + 0.01 * z, 5e-5, n), Estimate(0.1, 5e-5, n), n)
    read = always_valid_read_out(difference, planned, alpha)
    if min(abs(read.low), abs(read.high)) > 1e-9:
        assert (read.p_value < alpha) is (read.low > 0 or read.high < 0)
    assert 0 <= read.p_value <= 1
    assert read.p_value >= fixed_read_out(difference, alpha).p_value


def test_the_fixed_horizon_is_locked_until_every_arm_has_its_planned_users():
    assert not is_unlocked([999, 1_200], 1_000)
    assert is_unlocked([1_000, 1_200], 1_000)
    assert not is_unlocked([10_000, 10_000], 0)


def test_the_read_out_for_every_day_is_the_wider_one():
    random = generator(2)
    difference = compare(arm(random, 500, 0.2), arm(random, 500))
    always, fixed = always_valid_read_out(difference, 1_000), fixed_read_out(difference)
    assert always.low < fixed.low < fixed.difference < fixed.high < always.high
    assert always.relative_low < fixed.relative_low < fixed.relative == always.relative


def test_a_relative_interval_never_says_otherwise_than_the_absolute_one_which_decides():
    found = Difference(Estimate(2.0, 0.09, 50), Estimate(1.0, 0.0576, 50), 102)
    sure = read_out(found, (2.5, 2.5), 0.01, 0.05)
    assert sure.low > 0
    assert math.log(2) < 2.5 * found.log_error  # a relative interval would begin below zero
    assert (sure.relative, sure.relative_low, sure.relative_high) == (None, None, None)
    open_one = read_out(found, (3.0, 3.0), 0.2, 0.05)
    assert open_one.low < 0
    assert open_one.relative_low < 0 < open_one.relative_high
