"""Circuit breakers: when they open, who may try, when they close, and what they say."""

import logging
import threading

import pytest

from recommender_app.serving import breakers
from recommender_app.serving.circuit import CLOSED, OPEN, TRIAL, CircuitBreaker
from recommender_app.serving.deadline import Deadline
from tests.app.test_deadline import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return CircuitBreaker(5, 30.0, 30.0, clock)


def failing(breaker, n):
    return [breaker.failed() for _ in range(n)]


def test_five_errors_open_it_and_it_says_so_once(breaker):
    assert failing(breaker, 4) == [False] * 4
    assert breaker.allows()
    assert failing(breaker, 3) == [True, False, False]
    assert (breaker.state, breaker.allows()) == (OPEN, False)


def test_errors_that_are_far_apart_do_not_open_it(breaker, clock):
    for _ in range(20):
        assert not breaker.failed()
        clock.now += 8
    assert breaker.state == CLOSED


def test_a_success_between_errors_forgives_nothing(breaker):
    failing(breaker, 4)
    assert not breaker.succeeded()
    assert breaker.failed()


def test_after_thirty_seconds_one_may_try(breaker, clock):
    failing(breaker, 5)
    clock.now += 29.9
    assert not breaker.allows()
    clock.now += 0.1
    assert [breaker.allows() for _ in range(3)] == [True, False, False]
    assert breaker.state == TRIAL


def test_a_trial_that_found_nothing_out_leaves_the_next_one_to_try(breaker, clock):
    failing(breaker, 5)
    clock.now += 30
    assert breaker.allows()
    breaker.released()
    assert (breaker.state, breaker.allows(), breaker.allows()) == (OPEN, True, False)


def test_a_trial_that_works_closes_it(breaker, clock):
    failing(breaker, 5)
    clock.now += 30
    assert breaker.allows()
    assert breaker.succeeded()
    assert (breaker.state, breaker.allows()) == (CLOSED, True)
    assert failing(breaker, 5) == [False] * 4 + [True]  # it starts from nothing


def test_a_trial_that_fails_opens_it_for_as_long_again(breaker, clock):
    failing(breaker, 5)
    clock.now += 30
    assert breaker.allows()
    clock.now += 1
    assert not breaker.failed()  # it has been open all the time
    clock.now += 29.9
    assert (breaker.state, breaker.allows()) == (OPEN, False)
    clock.now += 0.1
    assert breaker.allows()


def test_a_trial_that_never_reports_is_replaced(breaker, clock):
    failing(breaker, 5)
    clock.now += 30
    assert breaker.allows()
    clock.now += 30
    assert breaker.allows()


def test_a_call_from_before_it_opened_does_not_close_it(breaker):
    failing(breaker, 5)
    assert not breaker.succeeded()
    assert breaker.state == OPEN


def test_of_many_threads_one_opens_it_and_one_may_try(breaker, clock):
    def in_threads(function):
        start, answers = threading.Barrier(16), []

        def work():
            start.wait(timeout=30)
            answers.append(function())

        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        return answers

    assert in_threads(breaker.failed).count(True) == 1
    clock.now += 30
    assert in_threads(breaker.allows).count(True) == 1


def records(caplog):
    return [(record.levelno, record.getMessage()) for record in caplog.records]


def test_engines_are_watched_per_use_case_and_the_log_says_it_once(caplog):
    for _ in range(8):
        breakers.failed("books", "als")
    deadline = Deadline(60_000)
    assert breakers.refusal("books", "als", deadline) == "breaker_open"
    assert breakers.refusal("books", "popular", deadline) == ""
    assert breakers.refusal("films", "als", deadline) == ""
    expected = "The engine als of books failed 5 times in 30.0 seconds: it is left alone for 30.0 seconds."
    assert records(caplog) == [(logging.ERROR, expected)]
    assert breakers.states() == {"books": {"als": "open", "popular": "closed"}, "films": {"als": "closed"}}


def test_the_settings_decide_when_it_opens_and_the_log_says_when_it_closes(settings, caplog):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "BREAKER_ERRORS": 2, "BREAKER_OPEN_SECONDS": 1e-9}
    breakers.failed("books", "als")
    assert breakers.states() == {"books": {"als": "closed"}}
    breakers.failed("books", "als")
    assert breakers.states() == {"books": {"als": "open"}}
    assert breakers.refusal("books", "als", Deadline(60_000)) == ""
    assert breakers.states() == {"books": {"als": "trial"}}
    breakers.succeeded("books", "als", 1.0)
    breakers.succeeded("books", "als", 1.0)
    assert breakers.states() == {"books": {"als": "closed"}}
    assert records(caplog)[1:] == [(logging.WARNING, "The engine als of books works again.")]


def test_an_engine_whose_cost_does_not_fit_is_refused_but_never_the_last_rung():
    for engine in ("als", "popular"):
        breakers.succeeded("books", engine, 30_000.0)
        breakers.succeeded("books", engine, 30_000.0)
    assert breakers.expected_ms() == {"books": {"als": 30_000.0, "popular": 30_000.0}}
    assert breakers.refusal("books", "als", Deadline(20_000)) == "deadline"
    assert breakers.refusal("books", "popular", Deadline(20_000)) == ""
    assert breakers.refusal("books", "als", Deadline(60_000)) == ""


def test_a_refusal_for_want_of_time_uses_up_no_trial(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "BREAKER_ERRORS": 1, "BREAKER_OPEN_SECONDS": 1e-9}
    breakers.succeeded("books", "als", 300.0)
    breakers.succeeded("books", "als", 300.0)
    breakers.failed("books", "als")
    assert breakers.refusal("books", "als", Deadline(200)) == "deadline"
    assert breakers.states() == {"books": {"als": "open"}}
