"""The calculator: users from the site's own numbers, days from its visitors and the ramp."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.experiments.statistics.duration import days_needed, enrolled_after
from recommender_app.experiments.statistics.power import Question, detectable_effect, sample_size
from recommender_app.experiments.statistics.sums import totals_of
from tests.benchmarks.calibrating.populations import arm, generator

SITE = arm(generator(4), 5_000)
ONE_LOOK = Question(is_always_valid=False)
STEADY = [100.0, 180.0, 240.0]  # different users within 1, 2, 3 days; then 60 more a day


def test_a_child_can_check_this_one():
    # Half of the users do it: the variance relative to the mean's square is 1 (up to n / (n - 1)).
    half = totals_of([(0, 1), (1, 1)] * 5_000)
    # (1.96 + 0.8416)**2 * (1 + 1.1**2) / 0.1**2
    assert sample_size(half, 0.1, ONE_LOOK) == pytest.approx(7.849 * 2.21 / 0.01, rel=1e-3)


@given(st.floats(0.01, 0.5), st.sampled_from([ONE_LOOK, Question(power=0.95, treatments=3)]))
def test_as_many_users_as_an_effect_needs_detect_it(effect, question):
    assert detectable_effect(SITE, sample_size(SITE, effect, question), question) == pytest.approx(effect, rel=0.01)


def test_what_is_harder_needs_more_users():
    plain = sample_size(SITE, 0.05, ONE_LOOK)
    assert sample_size(SITE, -0.05, ONE_LOOK) == plain
    assert 3.5 < sample_size(SITE, 0.025, ONE_LOOK) / plain < 4
    assert sample_size(SITE, 0.05, Question(treatments=3, is_always_valid=False)) / plain == pytest.approx(
        1.33, abs=0.02
    )
    assert 1.9 < sample_size(SITE, 0.05, Question()) / plain < 2.25


def test_a_handful_of_users_detects_no_effect_at_all():
    assert detectable_effect(SITE, 10, ONE_LOOK) is None


@pytest.mark.parametrize("site", [[], [(1, 2)], [(0, 2)] * 50, [(1, 2)] * 50])
def test_a_site_whose_users_do_not_tell_is_refused(site):
    with pytest.raises(ValueError, match="Take more days"):
        sample_size(totals_of(site), 0.1, ONE_LOOK)


def test_an_effect_of_zero_is_refused():
    with pytest.raises(ValueError, match="least one worth finding"):
        sample_size(SITE, 0.0, ONE_LOOK)


def test_a_step_of_the_ramp_lets_in_its_share_of_who_comes_from_then_on():
    assert enrolled_after(2, STEADY, [(0, 0.5)]) == 90
    assert enrolled_after(2, STEADY, [(0, 0.5), (1, 1.0)]) == 90 + 50
    assert enrolled_after(5, STEADY, [(0, 1.0)]) == 240 + 2 * 60
    assert enrolled_after(3, STEADY, [(0, 0.5), (1, 0.1), (2, 0.6)]) == pytest.approx(120 + 10)
    assert enrolled_after(3, [], [(0, 1.0)]) == 0


def test_days_are_counted_until_enough_are_enrolled():
    assert days_needed(240, STEADY, [(0, 1.0)]) == 3
    assert days_needed(241, STEADY, [(0, 1.0)]) == 4
    assert days_needed(240, STEADY, [(7, 1.0)]) == 10


def test_what_cannot_be_reached_gets_no_date():
    assert days_needed(10_000_000, STEADY, [(0, 1.0)]) is None
    assert days_needed(1, STEADY, []) is None
    assert days_needed(301, [100.0, 200.0, 300.0, 300.0], [(0, 1.0)]) is None  # nobody new comes any more
