"""One row per answer, and no answer lost for want of a row."""

import resource
from contextlib import contextmanager

import pytest
from django.db import connection
from django.utils import timezone

from recommender_app.models import RequestLog
from recommender_app.serving import request_log
from recommender_app.serving.service import recommend
from recommender_app.serving.spool import files
from recommender_app.serving.spool.draining import Drained, drain
from recommender_app.testing import FixedEngine, override_engine
from tests.app import library

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def spool(settings, tmp_path):
    """An empty spool."""
    settings.RECOMMENDER = {**settings.RECOMMENDER, "SPOOL_DIR": tmp_path / "spool"}
    return tmp_path / "spool"


@pytest.fixture
def books():
    return library.add_shelves(3)


def test_the_row_says_what_the_answer_says(books):
    reader = library.add_reader(likes=(books[0],))
    with override_engine("books", FixedEngine([books[4].pk, books[2].pk])):
        answer = recommend(reader, "books", 3)
    row = RequestLog.objects.get()
    assert row.request_id == answer.request_id
    assert (row.use_case, row.user_id) == ("books", str(reader.pk))
    assert (row.requested_limit, row.n_results) == (3, 3)
    assert (row.engine, row.model_version, row.release) == ("fixed", "fixed_v0", 0)
    assert (row.fallback_reason, row.policy) == ("not_enough_items", "override")
    assert row.interaction_count == answer.interaction_count == 1
    assert row.latency_ms == answer.latency_ms > 0
    assert row.engine_ms == answer.engine_ms
    assert row.results == [
        {"item": str(result.id), "rank": result.rank, "score": result.score, "source": result.source}
        for result in answer.results
    ]
    assert [place["item"] for place in row.results[:2]] == [str(books[4].pk), str(books[2].pk)]
    assert [place["source"] for place in row.results] == ["fixed", "fixed", "newest"]
    assert (row.experiment, row.phase, row.arm, row.propensity) == (None, None, None, None)


def test_an_empty_answer_has_a_row_too():
    answer = recommend(library.add_reader(), "books")
    row = RequestLog.objects.get()
    assert (row.request_id, row.engine, row.n_results) == (answer.request_id, "none", 0)
    assert row.fallback_reason == "empty_catalogue"


def test_every_answer_has_a_name_of_its_own(books):
    reader = library.add_reader()
    assert len({recommend(reader, "books").request_id for _ in range(3)}) == 3
    assert RequestLog.objects.count() == 3


def table_is_missing(execute, sql, params, many, context):
    return execute(sql.replace(RequestLog._meta.db_table, "no_such_table"), params, many, context)


def out_of_memory(execute, sql, params, many, context):
    if sql.startswith("INSERT"):
        raise MemoryError
    return execute(sql, params, many, context)


@pytest.mark.parametrize("trouble", [table_is_missing, out_of_memory])
def test_row_39_whatever_stops_the_insert_the_answer_goes_out_and_its_row_waits_in_the_spool(books, trouble, caplog):
    reader = library.add_reader()
    with connection.execute_wrapper(trouble):
        answers = [recommend(reader, "books", 2) for _ in range(3)]
    assert [len(answer.results) for answer in answers] == [2, 2, 2]
    assert {answer.fallback_reason for answer in answers} == {"no_model"}
    assert RequestLog.objects.count() == 0  # and the transaction is still usable
    assert caplog.text.count("The request log refuses rows") == 1  # once a minute, not once per answer
    drain()
    assert {row.request_id for row in RequestLog.objects.all()} == {answer.request_id for answer in answers}


def test_row_39_a_row_that_is_there_already_changes_nothing(books, caplog):
    answer = recommend(library.add_reader(), "books", 2)
    assert request_log.write(answer)  # the unique constraint refuses, the spool takes
    assert drain() == Drained(n_files=1, n_known=1)
    assert RequestLog.objects.count() == 1


def test_the_row_from_the_spool_is_the_row_that_the_database_would_have(books):
    reader = library.add_reader(likes=(books[0],))
    with override_engine("books", FixedEngine([books[4].pk, books[2].pk])):
        first = recommend(reader, "books", 3)
        with connection.execute_wrapper(table_is_missing):
            second = recommend(reader, "books", 3)
    drain()
    differing = ("id", "request_id", "created_at", "latency_ms", "engine_ms")
    rows = RequestLog.objects.in_bulk([first.request_id, second.request_id], field_name="request_id")
    stored = [
        {field.attname: getattr(rows[answer.request_id], field.attname) for field in RequestLog._meta.concrete_fields}
        for answer in (first, second)
    ]
    assert stored[1]["latency_ms"] == second.latency_ms
    assert stored[1]["engine_ms"] == second.engine_ms
    kept = [{name: value for name, value in row.items() if name not in differing} for row in stored]
    assert kept[0] == kept[1]


def test_with_the_spool_as_writer_no_row_is_inserted_until_the_drain(books, settings, django_assert_num_queries):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "LOG_WRITER": "spool"}
    before = timezone.now()
    answer = recommend(library.add_reader(), "books", 2)
    after = timezone.now()
    assert RequestLog.objects.count() == 0
    drain()
    row = RequestLog.objects.get()
    assert row.request_id == answer.request_id
    assert before <= row.created_at <= after  # of the answer, not of the drain


def test_the_log_costs_one_statement(books, django_assert_num_queries):
    answer = recommend(library.add_reader(), "books", 2, log=False)
    with django_assert_num_queries(3) as queries:  # in a test's transaction: savepoint, INSERT, release
        request_log.write(answer)
    assert [query["sql"].split()[0] for query in queries] == ["SAVEPOINT", "INSERT", "RELEASE"]


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_the_insert_commits_itself(books, django_assert_num_queries):
    answer = recommend(library.add_reader(), "books", 2, log=False)
    with django_assert_num_queries(1):
        request_log.write(answer)
    assert RequestLog.objects.count() == 1


def test_row_17_on_a_full_disk_the_row_is_counted_and_the_answer_goes_out(books, caplog):
    reader, n_lost = library.add_reader(), request_log.n_lost()
    with connection.execute_wrapper(table_is_missing):
        kept = recommend(reader, "books", 2)
        size = files.used_bytes()
        with files_of_at_most(size + 40):
            lost = recommend(reader, "books", 2)
        after = recommend(reader, "books", 2)
    assert len(lost.results) == 2
    assert request_log.n_lost() == n_lost + 1
    told = [record.message for record in caplog.records if str(lost.request_id) in record.message]
    assert len([message for message in told if "neither the request log nor the spool" in message]) == 1
    assert str(lost.results[0].id) in told[-1]
    assert drain().n_rejected == 1  # the part that was written
    assert {row.request_id for row in RequestLog.objects.all()} == {kept.request_id, after.request_id}


@contextmanager
def files_of_at_most(n_bytes):
    """Let no file of this process grow beyond n bytes, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
