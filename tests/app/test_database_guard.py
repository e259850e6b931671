"""Databases that cannot be reached, or that lose a connection: who waits, who is refused, who tries again."""

import logging

import pytest
from django.db import OperationalError, connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.sqlite3.base import DatabaseWrapper as SQLite
from django.test import Client

from recommender_app.serving import database
from recommender_app.serving.circuit import CircuitBreaker
from recommender_app.serving.service import recommend
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.app.test_deadline import Clock

COMMON = {"TIME_ZONE": None, "CONN_HEALTH_CHECKS": False, "CONN_MAX_AGE": 0, "AUTOCOMMIT": True}
NOBODY_LISTENS = {**COMMON, "NAME": "x", "USER": "", "PASSWORD": "", "HOST": "127.0.0.1", "PORT": "1", "OPTIONS": {}}


class Counted(DatabaseWrapper):
    """A database that refuses, and how often it was tried."""

    n_tries = 0

    def connect(self):
        self.n_tries += 1
        super().connect()


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setitem(database._breakers, "away", CircuitBreaker(3, 10.0, 5.0, clock))
    return clock


@pytest.fixture
def away():
    return Counted(NOBODY_LISTENS, "away")


def try_to_connect(connection, times):
    for _ in range(times):
        with database._guard(connection), pytest.raises(OperationalError):
            connection.connect()


def test_after_three_failures_nobody_waits_for_five_seconds(away, clock, caplog):
    try_to_connect(away, 10)
    assert away.n_tries == 3
    assert database.states()["away"] == "open"
    (record,) = caplog.records
    assert (record.levelno, "is not tried for 5.0 seconds" in record.getMessage()) == (logging.ERROR, True)


def test_then_one_tries_and_keeps_the_others_out(away, clock):
    try_to_connect(away, 3)
    clock.now += 5
    try_to_connect(away, 10)
    assert away.n_tries == 4


@pytest.mark.django_db
def test_a_connection_that_is_made_ends_it(away, clock, caplog):
    try_to_connect(away, 3)
    clock.now += 5
    back = SQLite({**COMMON, "NAME": ":memory:", "OPTIONS": {}}, "away")
    with database._guard(back):
        back.connect()
    back.close()
    assert database.states()["away"] == "closed"
    assert caplog.records[-1].getMessage() == "The database away can be reached again."


def test_failures_that_are_far_apart_keep_nobody_out(away, clock):
    for _ in range(5):
        try_to_connect(away, 1)
        clock.now += 6
    assert away.n_tries == 5


def test_the_guard_leaves_nothing_behind(away, clock):
    try_to_connect(away, 1)
    assert "connect" not in vars(away)
    before = {alias: dict(vars(connections[alias])) for alias in connections}
    with database.guarded():
        assert all("connect" in vars(connections[alias]) for alias in connections)
        with database.guarded():
            pass
        assert all("connect" in vars(connections[alias]) for alias in connections)
    assert {alias: dict(vars(connections[alias])) for alias in connections} == before


@pytest.fixture
def books():
    return library.add_shelves(3)


def failing_once(error, table):
    """Return an execute wrapper that lets the first query of a table fail, and its queries."""
    seen = []

    def wrapper(execute, sql, params, many, context):
        seen.extend([sql] if table in sql else [])
        if seen == [sql]:
            raise error
        return execute(sql, params, many, context)

    return wrapper, seen


@pytest.mark.django_db(transaction=True)
def test_a_query_that_fails_on_a_connection_that_works_is_not_repeated(books):
    reader = library.add_reader()
    wrapper, seen = failing_once(OperationalError("canceling statement due to statement timeout"), "toyhost_reading")
    with connection.execute_wrapper(wrapper):
        answer = recommend(reader, "books", 2)
    assert (answer.results, answer.fallback_reason) == ((), "database_unavailable")
    assert len(seen) == 1


@pytest.mark.django_db(transaction=True)
def test_inside_a_transaction_of_the_hosts_there_is_no_second_try():
    from django.db import transaction

    def compute():
        calls.append(1)
        raise OperationalError("server closed the connection unexpectedly")

    calls = []
    with pytest.raises(OperationalError), transaction.atomic():
        database.retried(compute)
    assert calls == [1]


@pytest.mark.django_db(transaction=True)
def test_a_host_with_atomic_requests_opens_no_transaction_around_us(books, monkeypatch):
    def get_user(self, request):
        seen.append(connection.in_atomic_block)
        return reader

    seen, reader, client = [], library.add_reader(), Client()
    client.force_login(reader.account)
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", value=True)
    monkeypatch.setattr(type(get_use_case("books")), "get_user", get_user)
    assert client.get("/api/recommendations/books/").status_code == 200
    assert seen == [False]
