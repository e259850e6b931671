"""Roll-ups: what was shown on a day, and what came of it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from recommender_app.management.log_upkeep import trim_request_log
from recommender_app.measurement.days import ONE_DAY
from recommender_app.measurement.distinct import DistinctItems
from recommender_app.measurement.latency import bucket_of
from recommender_app.measurement.roll_up import roll_up_day
from recommender_app.measurement.schedule import due_days
from recommender_app.models import RequestLog, RolledUpDay, RollUp, RollUpShape
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.app.measured import DAY, answer, at, event, read, roll_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def books():
    return library.add_shelves(2)


def only() -> RollUp:
    return RollUp.objects.get()


def stored() -> list[dict]:
    rows = [row for model in (RollUp, RollUpShape) for row in model.objects.order_by("pk").values()]
    return [{name: bytes(v) if name == "items" else v for name, v in row.items() if name != "id"} for row in rows]


def test_the_sums_of_one_user():
    answer("ann", "tea", "sea", latency_ms=10.0, diversity=0.5)
    answer("ann", "sea", "ink", hours=1, latency_ms=30.0, fallback_reason="deadline")
    roll_up()
    row = only()
    assert (row.use_case, row.day, row.engine, row.model_version, row.user_id) == ("books", DAY, "als", "als_v1", "ann")
    assert (row.requests, row.fallbacks, row.impressions, row.distinct_items) == (2, 1, 4, 3)
    assert (row.latency_ms_sum, row.diversity_sum, row.diversities) == (40.0, 0.5, 1)
    assert row.latencies == {str(bucket_of(10.0)): 1, str(bucket_of(30.0)): 1}
    assert (row.clicks, row.conversions, row.likes, row.dislikes, row.ratings) == (0, 0, 0, 0, 0)


def test_a_row_for_each_user_engine_version_and_arm():
    answer("ann", "tea")
    answer("ann", "tea", engine="popular", model_version="popular_v2")
    answer("ann", "tea", experiment="e", phase=2, arm="b")
    answer("bob", "tea")
    roll_up()
    found = RollUp.objects.order_by("pk").values_list(
        "user_id", "engine", "model_version", "experiment", "phase", "arm"
    )
    assert set(found) == {
        ("ann", "als", "als_v1", "", 0, ""),
        ("ann", "als", "als_v1", "e", 2, "b"),
        ("ann", "popular", "popular_v2", "", 0, ""),
        ("bob", "als", "als_v1", "", 0, ""),
    }
    assert RollUpShape.objects.count() == 3


def test_other_days_and_use_cases_are_left_out():
    answer("ann", "tea", hours=-12)
    answer("ann", "tea", hours=12)  # midnight: the next day's
    answer("ann", "tea", hours=-12.001)
    RequestLog.objects.filter(pk=RequestLog.objects.latest("pk").pk).update(use_case="books")
    done = roll_up()
    assert (only().requests, done.requests, done.first_request_at) == (1, 1, at(-12))
    roll_up(DAY + ONE_DAY)
    assert RollUp.objects.get(day=DAY + ONE_DAY).requests == 1


def test_shapes_hold_what_users_cannot_add_up():
    answer("ann", "tea", "sea", latency_ms=10.0)
    answer("bob", "tea", latency_ms=10.0)
    roll_up()
    shape = RollUpShape.objects.get()
    assert DistinctItems(shape.items).count() == 2
    assert shape.latencies == {str(bucket_of(10.0)): 2}


def test_posted_events_count_for_the_answer_they_name():
    first = answer("ann", "tea", "sea")
    answer("ann", "tea", engine="popular", hours=1)
    event("ann", "tea", "impression", hours=2, request_id=first)
    event("ann", "tea", "click", hours=2, request_id=first)
    event("ann", "tea", "finish", hours=48, request_id=first)
    roll_up()
    row = RollUp.objects.get(engine="als")
    assert (row.seen, row.clicks, row.conversions) == (1, 1, 1)
    assert RollUp.objects.get(engine="popular").clicks == 0


def test_a_shown_item_counts_once_however_often_it_is_clicked():
    first = answer("ann", "tea")
    event("ann", "tea", "click", request_id=first)
    event("ann", "tea", "click", hours=1)
    roll_up()
    assert only().clicks == 1


def test_of_opinions_and_ratings_the_last_one_counts():
    answer("ann", "tea", "sea", "ink")
    event("ann", "tea", "like", hours=1)
    event("ann", "tea", "dislike", hours=2)
    event("ann", "sea", "like", hours=1)
    event("ann", "ink", "rating", hours=1, rating=1)
    event("ann", "ink", "rating", hours=2, rating=5)
    roll_up()
    row = only()
    assert (row.likes, row.dislikes, row.ratings, row.ratings_sum) == (1, 1, 1, 5)


def test_what_was_undone_has_not_happened(books):
    reader = library.add_reader()
    answer(reader, books[0])
    event(reader, books[0], "like", hours=1, undone_at=at(2))
    read(reader, books[0], "like", hours=1)  # the host's row of the same event, whatever the host did with it
    roll_up()
    assert only().likes == 0


def test_interactions_of_the_host_are_due_to_the_last_answer_within_the_window(books):
    reader = library.add_reader()
    answer(reader, books[0], engine="als")
    answer(reader, books[0], engine="popular", hours=1)
    answer(reader, books[0], engine="content_based", hours=5)
    read(reader, books[0], "like", hours=2)
    read(reader, books[0], "finish", hours=-1)  # before anything was shown
    read(reader, books[1], "like", hours=2)  # never shown
    read(reader, books[0], "dislike", hours=5 + 24.1)  # too late
    roll_up()
    assert dict(RollUp.objects.values_list("engine", "likes")) == {"als": 0, "popular": 1, "content_based": 0}
    assert not RollUp.objects.filter(conversions__gt=0).exists()
    assert not RollUp.objects.filter(dislikes__gt=0).exists()


def test_an_answer_of_the_next_day_takes_what_comes_after_it(books):
    reader = library.add_reader()
    answer(reader, books[0])
    answer(reader, books[0], hours=18, engine="popular")
    read(reader, books[0], "like", hours=17)
    read(reader, books[0], "finish", hours=19)
    roll_up()
    assert (only().likes, only().conversions) == (1, 0)
    roll_up(DAY + ONE_DAY)
    assert RollUp.objects.get(day=DAY + ONE_DAY).conversions == 1


def test_an_item_that_the_named_answer_did_not_show_counts_nowhere():
    first = answer("ann", "tea")
    event("ann", "sea", "click", request_id=first)
    roll_up()
    assert only().clicks == 0


def test_a_posted_event_and_the_hosts_row_of_it_are_one_event(books):
    reader = library.add_reader()
    first = answer(reader, books[0])
    answer(reader, books[0], hours=1, engine="popular")
    event(reader, books[0], "like", hours=2, request_id=first)
    read(reader, books[0], "like", hours=2)
    roll_up()
    assert dict(RollUp.objects.values_list("engine", "likes")) == {"als": 1, "popular": 0}


def test_visits_are_counted_where_they_began():
    answer("ann", "tea", engine="als")
    answer("ann", "tea", hours=0.25, engine="popular")
    event("ann", "tea", "click", hours=0.5)
    answer("ann", "tea", hours=2, engine="popular")
    roll_up()
    assert set(RollUp.objects.values_list("engine", "sessions", "session_seconds")) == {
        ("als", 1, 1800.0),
        ("popular", 1, 0.0),
    }


def test_a_visit_across_midnight_belongs_to_the_day_it_began_on():
    answer("ann", "tea", hours=11.8)
    answer("ann", "tea", hours=12.2)
    roll_up()
    assert (only().requests, only().sessions, only().session_seconds) == (1, 1, pytest.approx(0.4 * 3600))
    roll_up(DAY + ONE_DAY)
    assert RollUp.objects.get(day=DAY + ONE_DAY).sessions == 0


def test_twice_gives_the_same_and_once_more_takes_in_what_came_late():
    first = answer("ann", "tea")
    roll_up()
    before = stored()
    roll_up()
    assert stored() == before
    assert RolledUpDay.objects.count() == 1
    event("ann", "tea", "click", request_id=first)
    roll_up()
    assert only().clicks == 1


def test_a_day_without_answers_is_done_too():
    assert roll_up().requests == 0
    assert RolledUpDay.objects.get().first_request_at is None
    assert not RollUp.objects.exists()


def test_a_roll_up_that_fails_leaves_the_day_as_it_was():
    answer("ann", "tea")
    roll_up()
    before = stored()
    answer("bob", "tea")

    def fail(execute, sql, params, many, context):
        if sql.startswith("INSERT") and "rollupshape" in sql:
            raise MemoryError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail), pytest.raises(MemoryError):
        roll_up()
    assert stored() == before


def test_the_number_of_queries_does_not_grow_with_users(django_assert_num_queries):
    for number in range(30):
        answer(f"user-{number}", "tea")
    roll_up()
    with django_assert_num_queries(15 if connection.vendor == "postgresql" else 14):  # there, answers are counted first
        roll_up()


def test_rows_that_something_else_wrote_do_no_harm():
    answer("ann", "tea")
    RequestLog.objects.update(results={"not": "a list"}, latency_ms=None)
    answer("ann", "sea", hours=1, latency_ms=-1.0)
    RequestLog.objects.filter(latency_ms=-1.0).update(results=[{"item": 7}, {"item": "sea"}, "sea", None])
    roll_up()
    assert (only().requests, only().impressions) == (2, 1)


def test_a_project_without_time_zones_is_rolled_up_and_trimmed_too(settings):
    if connection.vendor == "postgresql":
        pytest.skip("its columns were made with time zones")
    answer("ann", "tea")
    RequestLog.objects.update(created_at=timezone.now() - timedelta(days=400))
    settings.USE_TZ = False
    use_case = get_use_case("books")
    for day in due_days(use_case):
        roll_up_day(use_case, day)
        roll_up_day(use_case, day)
    assert due_days(use_case) == []
    RolledUpDay.objects.update(rolled_up_at=timezone.now())
    assert trim_request_log(days=90).n_rows == 1
