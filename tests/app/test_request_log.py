"""One row per answer, and no answer lost for want of a row."""

import pytest
from django.db import connection
from django.db.models.signals import pre_save

from recommender_app.models import RequestLog
from recommender_app.serving import request_log
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from tests.app import library

pytestmark = pytest.mark.django_db


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


def test_without_the_table_the_answer_goes_out_and_the_loss_is_counted(books, caplog):
    reader = library.add_reader()
    n_lost = request_log.n_lost()
    table = RequestLog._meta.db_table

    def table_is_missing(execute, sql, params, many, context):
        return execute(sql.replace(table, "no_such_table"), params, many, context)

    with connection.execute_wrapper(table_is_missing):
        answer = recommend(reader, "books", 2)
    assert len(answer.results) == 2
    assert answer.fallback_reason == "no_model"
    assert request_log.n_lost() == n_lost + 1
    assert str(answer.request_id) in caplog.text
    assert str(answer.results[0].id) in caplog.text
    assert RequestLog.objects.count() == 0  # and the transaction is still usable


def test_whatever_stops_the_writer_does_not_stop_the_answer(books):
    def refuse(**_kwargs):
        raise MemoryError

    reader = library.add_reader()
    n_lost = request_log.n_lost()
    pre_save.connect(refuse, sender=RequestLog)
    try:
        assert len(recommend(reader, "books", 2).results) == 2
    finally:
        pre_save.disconnect(refuse, sender=RequestLog)
    assert request_log.n_lost() == n_lost + 1
