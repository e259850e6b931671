"""What fits into the time that is left, and what an engine is expected to cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.serving.deadline import N_SAMPLES, TRIAL_SECONDS, Deadline, RecentCost


class Clock:
    """Time that passes when it is told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cost(clock):
    return RecentCost(clock)


def measured(cost, *milliseconds):
    for ms in milliseconds:
        cost.add(ms)
    return cost.expected_ms


def test_the_budget_runs_out(clock):
    deadline = Deadline(200, clock)
    assert deadline.remaining_ms() == pytest.approx(200)
    clock.now += 0.15
    assert deadline.remaining_ms() == pytest.approx(50)
    assert deadline.fits(49)
    assert not deadline.fits(51)
    clock.now += 10
    assert deadline.remaining_ms() == 0
    assert not deadline.fits(0)


def test_an_engine_that_was_not_yet_measured_twice_may_be_asked_whatever_is_left(clock, cost):
    spent = Deadline(200, clock)
    clock.now += 1
    assert cost.fits(spent)
    cost.add(2.0)
    assert cost.fits(spent)
    cost.add(2.0)
    assert not cost.fits(spent)


def test_one_slow_moment_says_nothing(cost):
    assert measured(cost, 900.0) == 0
    assert measured(cost, 2.0) == 2
    assert measured(cost, 3.0, 2.0, 2.0) == 3


@given(first=st.floats(0, 1e4), rest=st.lists(st.floats(0, 50), min_size=1, max_size=40))
def test_the_cold_first_request_of_a_worker_never_decides(first, rest):
    assert measured(RecentCost(), first, *rest) <= 50


def test_an_engine_that_is_slow_again_and_again_is_skipped(clock, cost):
    measured(cost, 2.0, 300.0, 300.0)
    assert not cost.fits(Deadline(200, clock))
    assert cost.fits(Deadline(301, clock))


def test_an_engine_that_recovers_is_in_use_again_after_a_window_of_fast_calls(clock, cost):
    measured(cost, 300.0, 300.0, *[2.0] * (N_SAMPLES - 1))
    assert cost.fits(Deadline(200, clock))


def test_a_skipped_engine_is_tried_again_and_two_slow_calls_keep_it_out(clock, cost):
    measured(cost, 300.0, 300.0)
    assert not cost.fits(Deadline(200, clock))
    clock.now += TRIAL_SECONDS - 1
    assert not cost.fits(Deadline(200, clock))
    clock.now += 1
    assert cost.fits(Deadline(200, clock))
    cost.add(300.0)
    assert cost.fits(Deadline(200, clock))  # one slow moment
    cost.add(300.0)
    assert not cost.fits(Deadline(200, clock))


def test_a_skipped_engine_that_is_fast_when_it_is_tried_stays_in_use(clock, cost):
    measured(cost, 300.0, 300.0)
    assert not cost.fits(Deadline(200, clock))
    clock.now += TRIAL_SECONDS
    assert cost.fits(Deadline(200, clock))
    measured(cost, 2.0, 2.0)
    assert cost.fits(Deadline(200, clock))


def test_a_request_with_little_time_left_leaves_what_was_measured_alone(clock, cost):
    measured(cost, 50.0, 50.0)
    assert not cost.fits(Deadline(20, clock))
    assert cost.fits(Deadline(200, clock))
    clock.now += TRIAL_SECONDS
    assert not cost.fits(Deadline(20, clock))
