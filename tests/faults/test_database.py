"""Rows 33 to 38: whatever the database does, a request is answered, soon, with JSON, and never with 500."""

import psycopg
import pytest

from recommender_app.models import BusinessRule, Release, RequestLog, ServingPolicy
from tests.faults.proxy import FORWARD, REFUSE, SILENT
from tests.faults.servers import gunicorn

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.xdist_group("faults")]
NEEDS_DATABASE = ("token", "session")


@pytest.fixture(scope="module")
def server(site):
    with gunicorn(site) as running:
        yield running


@pytest.fixture
def whole(site, server):
    """The server, in good health before and after the test."""
    server.wait_for_engine("als")
    yield server
    site.database.behave(FORWARD)
    site.execute("ALTER ROLE site CONNECTION LIMIT -1")
    server.wait_for_engine("als")
    assert "Internal Server Error" not in server.log.read_text()


def assert_full(reply):
    assert reply.status == 200
    assert (reply.body["engine"], reply.body["fallback_reason"]) == ("als", None)
    assert [result["item"]["label"] for result in reply.body["results"]] == ["sea-0", "sea-1", "sea-2"]


def assert_without_database(server, n_rounds=3):
    for _ in range(n_rounds):
        reply = server.get("signed")
        assert reply.status == 200
        assert (reply.body["engine"], reply.body["results"]) == ("none", [])
        assert reply.body["fallback_reason"] == "database_unavailable"
        for login in NEEDS_DATABASE:
            reply = server.get(login)
            assert reply.status == 503
            assert reply.body.keys() == {"detail"}


@pytest.mark.parametrize("login", ["signed", "token", "session"])
def test_every_login_works_in_good_health(whole, login):
    assert_full(whole.get(login))


def test_row_33_a_server_starts_without_its_database_and_recovers(site):
    site.database.behave(REFUSE)
    with gunicorn(site) as server:
        assert_without_database(server)
        site.database.behave(FORWARD)
        server.wait_for_engine("als")
        log = server.log.read_text()
    assert "Internal Server Error" not in log
    assert log.count("The database default is not tried for") == 1
    assert log.count("The database default can be reached again") == 1


def test_row_34_a_database_that_refuses(site, whole):
    site.database.behave(REFUSE)
    assert_without_database(whole)


def test_row_35_a_database_that_never_answers_blocks_the_first_three_requests_only(site, whole):
    site.database.behave(SILENT)
    replies = [whole.get("signed") for _ in range(3)]
    assert all(reply.status == 200 for reply in replies)
    assert all(reply.seconds < 15 for reply in replies)  # connect_timeout, with a wide margin
    replies = [whole.get("signed") for _ in range(10)]
    assert {reply.body["fallback_reason"] for reply in replies} == {"database_unavailable"}
    assert sum(reply.seconds for reply in replies) < 10  # with a timeout of 2 seconds each it would be 20


@pytest.mark.parametrize("table", ["toyhost_book", "toyhost_reading"])
def test_row_36_where_what_may_be_shown_cannot_be_asked_in_time_the_answer_is_empty(site, whole, table):
    with psycopg.connect(site.superuser) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        reply = whole.get()
        assert (reply.status, reply.body["results"]) == (200, [])
        assert reply.body["fallback_reason"] == "database_unavailable"
        assert reply.seconds < 10
    assert_full(whole.get())  # the connection is still good, and no breaker is open


@pytest.mark.parametrize("model", [Release, ServingPolicy, BusinessRule, RequestLog])
def test_row_36_tables_of_our_own_that_are_slow_change_no_answer(site, whole, model):
    with psycopg.connect(site.superuser) as connection:
        connection.execute(f"LOCK TABLE {model._meta.db_table} IN ACCESS EXCLUSIVE MODE")
        reply = whole.get()
        assert_full(reply)
        assert reply.seconds < 10


def test_row_37_after_a_failover_the_next_requests_are_answered(site, whole):
    site.kill_connections()
    for login in ("signed", "token", "session") * 3:
        assert_full(whole.get(login))


@pytest.mark.parametrize("query", ["authtoken_token", "toyhost_reading", "toyhost_book"])
def test_row_37_a_connection_that_dies_under_a_query_is_replaced_once(site, whole, query):
    site.database.cut_once(f'FROM "{query}"'.encode())
    assert_full(whole.get("token"))
    assert not site.database.is_cut_due


def test_row_37_a_connection_that_dies_under_the_log_costs_neither_the_answer_nor_its_row(site, whole):
    site.database.cut_once(b'INSERT INTO "recommender_app_requestlog"')
    reply = whole.get()
    assert_full(reply)
    assert not site.database.is_cut_due
    table, request_id = "recommender_app_requestlog", reply.body["request_id"]
    assert site.execute(f"SELECT engine FROM {table} WHERE request_id = '{request_id}'") == [("als",)]


def test_row_38_too_many_clients(site, whole):
    site.execute("ALTER ROLE site CONNECTION LIMIT 0")
    site.kill_connections()
    assert_without_database(whole)
