"""Rows 63 and 64: whatever the engines do, the answer is 200 with a list, and says who made it and why."""

import itertools
import logging
from functools import partial

import numpy as np
import pytest
from django.test import Client

from recommender_app.models import RequestLog
from recommender_app.serving import breakers
from recommender_app.serving.circuit import CircuitBreaker
from recommender_app.testing import FixedEngine
from tests.app import library
from tests.app.test_deadline import Clock
from tests.faults.engines import CHAIN, FaultyEngine, rows_of, serving
from tests.toyhost.models import Book

pytestmark = pytest.mark.django_db
SUBSETS = [subset for n in range(len(CHAIN) + 1) for subset in itertools.combinations(CHAIN, n)]


@pytest.fixture
def books():
    return library.add_shelves(5)


@pytest.fixture
def client(books):
    client = Client(raise_request_exception=True)
    client.force_login(library.add_reader(likes=(books[0],)).account)
    return client


def body_of(client, limit=3):
    response = client.get("/api/recommendations/books/", {"limit": limit})
    assert response.status_code == 200
    body = response.json()
    row = RequestLog.objects.get(request_id=body["request_id"])
    assert (row.engine, row.fallback_reason) == (body["engine"], body["fallback_reason"] or "")
    assert [place["item"] for place in row.results] == [result["id"] for result in body["results"]]
    return body


def titles_of(body):
    return [result["item"]["label"] for result in body["results"]]


def chain_of(books, broken=(), answer=None):
    """Return all five engines; the one in place n puts book n first, the broken ones answer with ``answer``."""
    engines = {}
    for place, key in enumerate(CHAIN):
        ids = [book.pk for book in books[place:] + books[:place]]
        engines[key] = FaultyEngine(books, answer) if key in broken else FixedEngine(ids)
    return engines


def errors_of(caplog):
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


def messages(caplog):
    return [record.getMessage() for record in caplog.records if record.name.startswith("recommender_app")]


@pytest.mark.parametrize("broken", SUBSETS, ids=lambda subset: "+".join(subset) or "none")
def test_row_63_64_whichever_engines_raise_the_next_one_answers_and_each_failure_is_logged_once(
    client, books, broken, caplog
):
    with serving(chain_of(books, broken, RuntimeError("broken on purpose"))):
        body = body_of(client)
    working = [key for key in CHAIN if key not in broken]
    engine = working[0] if working else "newest"
    assert (body["engine"], body["model_version"]) == (engine, f"{engine}_v1" if working else None)
    assert body["fallback_reason"] == (None if engine == CHAIN[0] else "engine_failed")
    first = CHAIN.index(engine) if working else None
    expected = books[first : first + 3] if working else books[:-4:-1]
    assert titles_of(body) == [book.title for book in expected]
    asked = list(itertools.takewhile(lambda key: key != engine, CHAIN))
    assert [record.getMessage() for record in errors_of(caplog) if record.name.startswith("recommender_app")] == [
        f"Request {body['request_id']}: the engine {key} failed: engine_failed." for key in asked
    ]
    assert all("broken on purpose" in str(record.exc_info[1]) for record in errors_of(caplog))


class Odd:
    """An object no array can be made of."""

    def __array__(self, dtype=None, copy=None):
        raise ValueError("no array")


BREAKING = {  # what candidates() does: an exception it raises, or what it returns
    "a key error": KeyError("lost"),
    "no memory": MemoryError(),
    "too deep": RecursionError(),
    "a stop": StopIteration(),
    "nothing": None,
    "one value": (np.array([[0]]),),
    "three values": (1, 2, 3),
    "text": (np.array([["first", "second"]]), np.array([[1.0, 2.0]])),
    "text for scores": (np.array([[0, 1]]), np.array([["high", "low"]])),
    "more rows than scores": (np.array([[0, 1, 2]]), np.array([[1.0, 0.5]])),
    "one score for all": (np.array([[0, 1, 2]]), np.array([[1.0]])),
    "objects": (np.array([[None, None]]), np.array([[1.0, 0.5]])),
    "ragged": ([[0], [1, 2]], [[1.0], [2.0, 3.0]]),
    "no array": (Odd(), Odd()),
    "a dict": ({"row": 0}, {"score": 1.0}),
}


@pytest.mark.parametrize("how", BREAKING)
def test_row_63_an_engine_that_breaks_the_contract_counts_as_failed(client, books, how, caplog):
    with serving(chain_of(books, ("ensemble",), BREAKING[how])):
        body = body_of(client)
    assert (body["engine"], body["fallback_reason"]) == ("two_tower", "engine_failed")
    assert titles_of(body) == [book.title for book in books[1:4]]
    (record,) = errors_of(caplog)
    assert record.exc_info
    assert body["request_id"] in record.getMessage()
    assert breakers.states()["books"]["ensemble"] == "closed"


EMPTY = {  # nothing of it can be shown
    "not a number": ([[0, 1, 2]], [[np.nan] * 3]),
    "infinite": ([[0, 1]], [[np.inf, -np.inf]]),
    "rows outside": ([[-1, 10, 2**40, -(2**40)]], [[4.0, 3.0, 2.0, 1.0]]),
    "rows that are no numbers": ([[np.nan, np.inf]], [[2.0, 1.0]]),
    "an empty list": ([[]], [[]]),
}


@pytest.mark.parametrize("how", EMPTY)
def test_row_63_an_engine_with_nothing_to_show_is_replaced(client, books, how, caplog):
    with serving(chain_of(books, ("ensemble",), EMPTY[how])):
        body = body_of(client)
    assert (body["engine"], body["fallback_reason"]) == ("two_tower", "not_enough_items")
    assert titles_of(body) == [book.title for book in books[1:4]]
    assert errors_of(caplog) == []


def test_row_63_hidden_items_are_replaced(client, books):
    Book.objects.filter(pk__in=[book.pk for book in books[:2]]).update(is_published=False)
    answer = (rows_of(books, books[:2]), [[2.0, 1.0]])
    with serving(chain_of(books, ("ensemble",), answer)):
        body = body_of(client)
    assert (body["engine"], body["fallback_reason"]) == ("two_tower", "not_enough_items")
    assert titles_of(body) == [book.title for book in books[2:5]]


def test_row_63_of_duplicates_one_is_shown_and_others_fill_up(client, books):
    answer = (rows_of(books, [books[7]] * 30), [[1.0] * 30])
    with serving(chain_of(books, ("ensemble",), answer)):
        body = body_of(client)
    assert (body["engine"], body["fallback_reason"]) == ("ensemble", "not_enough_items")
    assert titles_of(body) == [books[7].title, books[1].title, books[2].title]


def test_row_63_an_engine_that_keeps_failing_is_left_alone_and_tried_again(client, books, monkeypatch, caplog):
    clock = Clock()
    monkeypatch.setattr(breakers, "CircuitBreaker", partial(CircuitBreaker, clock=clock))
    engines = chain_of(books, ("ensemble",), RuntimeError("broken on purpose"))
    caplog.set_level(logging.INFO, logger="recommender_app")
    with serving(engines):
        assert [body_of(client)["fallback_reason"] for _ in range(7)] == ["engine_failed"] * 5 + ["breaker_open"] * 2
        assert engines["ensemble"].n_asked == 5
        assert len([record for record in caplog.records if "left alone" in record.getMessage()]) == 1
        caplog.clear()
        request_id = body_of(client)["request_id"]
        assert messages(caplog) == [f"Request {request_id}: the engine ensemble is not asked: breaker_open."]
        clock.now += 30
        engines["ensemble"].answer = (rows_of(books, books[:3]), [[3.0, 2.0, 1.0]])
        caplog.clear()
        assert [body_of(client)["engine"] for _ in range(2)] == ["ensemble"] * 2
        assert messages(caplog) == ["The engine ensemble of books works again."]


def test_an_engine_that_lately_took_too_long_is_skipped_but_what_is_popular_never(client, books, settings, caplog):
    caplog.set_level(logging.INFO, logger="recommender_app")
    for key in CHAIN:
        for _ in range(2):
            breakers.succeeded("books", key, 120_000.0)  # the budget of the tests is 60 seconds
    with serving(chain_of(books)):
        body = body_of(client)
    assert (body["engine"], body["fallback_reason"]) == ("popular", "deadline")
    skipped = [record.getMessage() for record in caplog.records if "is not asked" in record.getMessage()]
    assert skipped == [f"Request {body['request_id']}: the engine {key} is not asked: deadline." for key in CHAIN[:-1]]


def test_once_the_budget_is_spent_only_what_was_never_measured_and_the_last_rungs_answer(client, books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "BUDGET_MS": 1e-6}
    with serving(chain_of(books)):
        assert [body_of(client)["engine"] for _ in range(3)] == ["ensemble", "ensemble", "two_tower"]
        assert [body_of(client)["engine"] for _ in range(6)][-1] == "popular"
        assert body_of(client)["fallback_reason"] == "deadline"


def test_what_an_engine_costs_is_measured(client, books):
    with serving(chain_of(books)):
        body_of(client)
        body_of(client)
    assert 0 < breakers.expected_ms()["books"]["ensemble"] < 60_000


def test_a_fallback_that_is_nobodys_failure_is_logged_once(client, books, caplog):
    caplog.set_level(logging.INFO, logger="recommender_app")
    engines = chain_of(books)
    del engines["ensemble"]
    with serving(engines):
        request_id = body_of(client)["request_id"]
    assert messages(caplog) == [f"Request {request_id}: two_tower answers, ensemble was routed: no_model."]
