"""Differences of rates: absolute always, relative where there is something to divide by."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.experiments.statistics.fixed_horizon import fixed_read_out
from recommender_app.experiments.statistics.ratio import compare
from recommender_app.experiments.statistics.sums import Totals, from_arrays, totals_of

counts = st.integers(0, 50)
users = st.lists(st.tuples(counts, st.integers(1, 50)).map(lambda pair: (min(pair), pair[1])), min_size=2, max_size=30)


def test_a_child_can_check_this_one():
    # control: 1 of 2 and 1 of 4; treatment: 2 of 2 and 2 of 4. Rates 1/3 and 2/3.
    found = compare(totals_of([(2, 2), (2, 4)]), totals_of([(1, 2), (1, 4)]))
    assert found.absolute == pytest.approx(1 / 3)
    # y - R x is 1/3 and -1/3 in control (variance 2 * 2/9 / 36 = 1/81), twice that in treatment (4/81)
    assert found.error == pytest.approx(math.sqrt(5 / 81))
    assert found.df == pytest.approx(25 / 17)
    assert found.relative is None  # control is three standard errors from zero: too near
    assert found.n == 4


def test_with_nothing_to_divide_by_a_rate_is_a_mean():
    assert from_arrays([1, 2, 6]) == Totals(n=3, y=9, x=3, yy=41, xx=3, xy=9)


def test_who_was_shown_nothing_does_not_count():
    assert from_arrays([0, 1, 2], [0, 2, 4]) == totals_of([(0, 0), (1, 2), (2, 4)]) == Totals(2, 3, 6, 5, 20, 10)


@given(users, users)
def test_totals_of_two_groups_add_up(some, others):
    assert totals_of(some) + totals_of(others) == totals_of([*some, *others])


@given(users, users)
def test_seen_from_the_other_arm_the_difference_is_the_same(some, others):
    one, other = compare(totals_of(some), totals_of(others)), compare(totals_of(others), totals_of(some))
    if one is None:
        assert other is None
        return
    assert one.absolute == -other.absolute
    assert (one.error, one.df) == pytest.approx((other.error, other.df))
    assert fixed_read_out(one).p_value == pytest.approx(fixed_read_out(other).p_value)
    if one.relative is not None:
        assert (1 + one.relative) * (1 + other.relative) == pytest.approx(1)


@given(users, users)
def test_an_interval_holds_its_difference_and_leaves_out_zero_if_it_is_significant(some, others):
    difference = compare(totals_of(some), totals_of(others))
    if difference is not None:
        found = fixed_read_out(difference, alpha=0.05)
        assert found.low <= found.difference <= found.high
        assert (found.p_value < 0.05) is not (found.low <= 0 <= found.high)
        if found.relative is not None:
            assert -1 < found.relative_low <= found.relative <= found.relative_high


def test_relative_differences_are_hidden_where_control_is_near_zero():
    few, many = [(1, 10)] * 10 + [(0, 10)] * 990, [(1, 10)] * 40 + [(0, 10)] * 960
    assert fixed_read_out(compare(totals_of(many), totals_of(few))).relative is None
    assert fixed_read_out(compare(totals_of(few), totals_of(many))).relative_low is None
    assert fixed_read_out(compare(totals_of(many), totals_of(many[:900] + few[:100]))).relative is not None


@pytest.mark.parametrize(
    ("treatment", "control"),
    [
        ([(0, 1)] * 50, [(0, 1)] * 50),
        ([(1, 2)], [(1, 2), (0, 2)]),
        ([], [(1, 2), (0, 2)]),
        ([(1, 2)] * 5, [(2, 4)] * 5),
    ],
)
def test_where_users_do_not_tell_there_is_no_difference(treatment, control):
    assert compare(totals_of(treatment), totals_of(control)) is None


def test_nothing_at_all_in_control_against_something_is_seen():
    found = fixed_read_out(compare(totals_of([(1, 1)] * 100), totals_of([(0, 1)] * 100)))
    assert found.difference == 1.0
    assert found.p_value < 1e-6
    assert fixed_read_out(compare(totals_of([(1, 1), (0, 1)]), totals_of([(0, 1)] * 2))).p_value > 0.2
