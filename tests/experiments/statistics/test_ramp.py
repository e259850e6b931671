"""Rates that fall while a treatment grows do not make it look worse than it is."""

import pytest

from recommender_app.experiments.statistics.fixed_horizon import fixed_read_out
from recommender_app.experiments.statistics.ramp import compare_strata
from recommender_app.experiments.statistics.ratio import compare
from recommender_app.experiments.statistics.sums import Totals, totals_of
from tests.benchmarks.calibrating.populations import arm, generator


def people(n: int, clicked: int) -> Totals:
    """Return n users who were shown one item each."""
    return Totals(n, clicked, n, clicked, n, clicked)


# Crook and others, KDD 2009: one per cent is treated on Friday, half on Saturday, when fewer click.
FRIDAY = people(10_000, 230), people(990_000, 20_000)
SATURDAY = people(500_000, 6_000), people(500_000, 5_000)


def test_better_on_both_days_is_better_though_the_sum_says_worse():
    pooled = compare(FRIDAY[0] + SATURDAY[0], FRIDAY[1] + SATURDAY[1])
    assert pooled.treatment.value == pytest.approx(0.0122, abs=1e-4)
    assert pooled.control.value == pytest.approx(0.0168, abs=1e-4)
    found = fixed_read_out(compare_strata([FRIDAY, SATURDAY]))
    assert found.low > 0
    assert 0.19 < found.relative < 0.20
    assert found.n == 2_000_000


def test_one_stratum_is_the_plain_comparison():
    random = generator(5)
    treatment, control = arm(random, 200), arm(random, 300)
    found, plain = compare_strata([(treatment, control)]), compare(treatment, control)
    assert (found.absolute, found.error, found.df) == pytest.approx((plain.absolute, plain.error, plain.df))


def test_a_child_can_check_the_weights():
    # 2 and 2 users weigh 1, 4 and 4 weigh 2: (1 * 1 + 2 * 0.25) / 3
    small = totals_of([(2, 1), (4, 1)]), totals_of([(1, 1), (3, 1)])
    large = totals_of([(1, 1), (2, 1), (1, 1), (1, 1)]), totals_of([(1, 1), (1, 1), (1, 1), (1, 1)])
    assert compare_strata([small, large]).absolute == pytest.approx(0.5)


def test_a_stratum_that_does_not_tell_is_left_out_of_both_arms():
    lone = totals_of([(1, 1)]), totals_of([(0, 1)] * 1_000)
    assert compare_strata([lone]) is None
    assert compare_strata([lone, SATURDAY]).absolute == pytest.approx(0.002)
    assert compare_strata([]) is None
