"""Intervals of rates: users are independent, impressions are not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.measurement.intervals import Rate, Totals, rate_of, standard_error, totals_of


def heavy_users(n: int, seed: int):
    """Return (clicks, impressions) of users who differ in how much they see and in how readily they click."""
    random = np.random.default_rng(seed)
    impressions = 1 + random.geometric(0.02, n)
    clicks = random.binomial(impressions, random.beta(1, 9, n))
    return list(zip(clicks.tolist(), impressions.tolist(), strict=True))


def bootstrap_error(users, seed: int, draws: int = 2_000) -> float:
    pairs = np.array(users, dtype=np.float64)
    chosen = np.random.default_rng(seed).integers(0, len(pairs), (draws, len(pairs)))
    sums = pairs[chosen].sum(axis=1)
    return float((sums[:, 0] / sums[:, 1]).std())


@pytest.mark.parametrize("n", [50, 500])
def test_the_error_is_that_of_a_bootstrap_over_users(n):
    ratios = []
    for seed in range(20):
        users = heavy_users(n, seed)
        ratios.append(standard_error(totals_of(users)) ** 2 / bootstrap_error(users, seed) ** 2)
    assert 0.95 <= np.mean(ratios) <= 1.05
    assert min(ratios) >= 0.80
    assert max(ratios) <= 1.20


def test_an_interval_as_if_impressions_were_independent_would_be_half_as_wide():
    users = heavy_users(500, 1)
    rate = rate_of(totals_of(users))
    n = sum(impressions for _, impressions in users)
    assert standard_error(totals_of(users)) > 1.8 * math.sqrt(rate.value * (1 - rate.value) / n)


def test_nineteen_of_twenty_intervals_hold_the_truth():
    held = [rate_of(totals_of(heavy_users(400, seed))) for seed in range(300)]
    assert 0.91 <= np.mean([rate.low <= 0.1 <= rate.high for rate in held]) <= 0.985


def test_a_child_can_check_this_one():
    totals = totals_of([(1, 2), (1, 4), (0, 0)])
    assert totals == Totals(n=2, y=2, x=6, yy=2, xx=20, xy=6)
    # the rate is 1/3: y - R x is 1/3 and -1/3, n / (n - 1) = 2, so the variance is 2 * 2/9 / 36
    assert standard_error(totals) == pytest.approx(math.sqrt(2 * 2 / 9 / 36))
    rate = rate_of(totals)
    assert rate.value == pytest.approx(1 / 3)
    assert rate.high == pytest.approx(1 / 3 + 1.959964 / 9, abs=1e-6)


@pytest.mark.parametrize(
    ("users", "value"),
    [([], None), ([(0, 0)], None), ([(1, 2)], 0.5), ([(0, 5), (0, 3)], 0.0), ([(2, 2), (4, 4)], 1.0)],
)
def test_where_users_do_not_tell_there_is_no_interval(users, value):
    rate = rate_of(totals_of(users))
    assert (rate.value, rate.low, rate.high) == (value, None, None)


def test_seconds_have_no_upper_end():
    rate = rate_of(totals_of([(100, 1), (900, 1)]), most=None)
    assert rate.value == 500
    assert rate.high > 1
    assert rate_of(totals_of([(100, 1), (900, 1)])).high == 1.0


counts = st.integers(0, 50)


@given(st.lists(st.tuples(counts, counts).map(lambda pair: (min(pair), max(pair))), max_size=30))
def test_a_rate_lies_in_its_interval_and_in_0_to_1(users):
    rate = rate_of(totals_of(users))
    assert isinstance(rate, Rate)
    if rate.value is not None:
        assert 0 <= rate.value <= 1
    if rate.low is not None:
        assert 0 <= rate.low <= rate.value <= rate.high <= 1
