"""An arm may pin a release: it is served beside the live one, by whoever has it in memory."""

import gc
import weakref

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommender_app.experiments import lifecycle, running
from recommender_app.models import Experiment, ModelVersion, Release, ReleaseMember, RequestLog
from recommender_app.registry.releases import roll_back
from recommender_app.serving import live, overlay, pinned_releases
from recommender_app.serving.health import health
from recommender_app.serving.service import recommend
from recommender_app.usecases.site import get_use_case
from tests.app import colours, library
from tests.experiments.making import make_phase, readers


@pytest.fixture
def two_releases(books):
    """Release 1 proposes the books in their order, release 2, which is live, the other way round."""
    library.publish("als_v2", library.als_engine(books[::-1]), books[::-1])
    library.put_live(2, "als_v2", "popular_v1")
    return books


def arms_of(phase, books):
    return [next(readers(phase, arm, likes=(books[0],))) for arm in ("control", "b")]


def test_each_arm_is_answered_by_its_release(two_releases):
    control, pinned = arms_of(make_phase({"control": {}, "b": {"release": 1}}), two_releases)
    for _ in range(2):
        assert library.titles(recommend(control, "books", 2).results) == ["tea-5", "tea-4"]
        assert library.titles(recommend(pinned, "books", 2).results) == ["tea-0", "tea-1"]
    rows = RequestLog.objects.order_by("pk").values_list("arm", "release", "model_version", "fallback_reason")
    assert list(rows) == [("control", 2, "als_v2", ""), ("b", 1, "als_v1", "")] * 2


def test_engines_of_a_pinned_release_that_fail_are_not_left_alone_in_the_live_one(two_releases, settings, monkeypatch):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "BREAKER_ERRORS": 2}
    control, reader = arms_of(make_phase({"control": {}, "b": {"release": 1}}), two_releases)
    recommend(reader, "books", 2)
    broken = pinned_releases.pinned("books", 1, live.current("books")).artifacts["als"].engine

    def fails(*args, **kwargs):
        raise RuntimeError("a broken model")

    monkeypatch.setattr(type(broken), "candidates", failing_for(broken, type(broken).candidates, fails))
    reasons = [recommend(reader, "books", 2).fallback_reason for _ in range(3)]
    assert reasons == ["engine_failed", "engine_failed", "breaker_open"]
    answer = recommend(control, "books", 2)
    assert (answer.engine, answer.fallback_reason) == ("als", "")
    assert health()["use_cases"]["books"]["breakers"]["als@1"] == "open"
    lifecycle.stop(Experiment.objects.get(), by="anna", reason="a broken model")
    running.forget()
    assert "als@1" not in health()["use_cases"]["books"]["breakers"]


def test_a_release_that_no_arm_pins_any_more_leaves_memory(two_releases):
    _, reader = arms_of(make_phase({"control": {}, "b": {"release": 1}}), two_releases)
    recommend(reader, "books", 2)
    kept = weakref.ref(pinned_releases.pinned("books", 1, live.current("books")))
    assert kept().number == 1
    stop_experiment()
    assert library.titles(recommend(reader, "books", 2).results) == ["tea-5", "tea-4"]
    gc.collect()
    assert kept() is None


def test_what_was_pinned_and_is_live_now_is_watched_as_what_is_live(two_releases, settings, monkeypatch):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "BREAKER_ERRORS": 1}
    _, reader = arms_of(make_phase({"control": {}, "b": {"release": 1}}), two_releases)
    recommend(reader, "books", 2)
    stop_experiment()
    roll_back("books", to=1, by="anna")
    live.forget()

    def fails(*args, **kwargs):
        raise RuntimeError("a broken model")

    monkeypatch.setattr(type(live.current("books").artifacts["als"].engine), "candidates", fails)
    assert recommend(reader, "books", 2).fallback_reason == "engine_failed"
    assert health()["use_cases"]["books"]["breakers"]["als"] == "open"


def stop_experiment():
    lifecycle.stop(Experiment.objects.get(), by="anna", reason="it is enough")
    running.forget()


def failing_for(broken, works, fails):
    return lambda engine, *args, **kwargs: (fails if engine is broken else works)(engine, *args, **kwargs)


def test_it_is_loaded_once_and_shares_what_the_live_one_has(two_releases):
    _, reader = arms_of(make_phase({"control": {}, "b": {"release": 1}}), two_releases)
    recommend(reader, "books", 2)
    released = live.current("books")
    found = pinned_releases.pinned("books", 1, released)
    assert found.artifacts["popular"] is released.artifacts["popular"]
    with CaptureQueriesContext(connection) as queries:
        assert pinned_releases.pinned("books", 1, released) is found
    assert len(queries) == 0
    with CaptureQueriesContext(connection) as queries:
        recommend(reader, "books", 2)
    assert not [each for each in queries.captured_queries if Release._meta.db_table in each["sql"]]


def test_the_live_one_needs_no_second_copy(two_releases):
    assert pinned_releases.pinned("books", 2, live.current("books")) is live.current("books")
    assert pinned_releases.pinned_numbers("books") == frozenset()


@pytest.mark.parametrize("trouble", ["no such release", "no artifacts", "unreadable"])
def test_one_that_cannot_be_loaded_is_answered_by_the_live_one_and_the_row_says_so(
    two_releases, trouble, caplog, settings
):
    number = 9 if trouble == "no such release" else 3
    if trouble == "no artifacts":
        version = ModelVersion.objects.create(use_case="books", engine="item_knn", number=7, status="ready")
        release = Release.objects.create(use_case="books", number=number, status="retired", promoted_at=timezone.now())
        ReleaseMember.objects.create(release=release, engine="item_knn", version=version)
    _, reader = arms_of(make_phase({"control": {}, "b": {"release": number}}), two_releases)
    live.current("books")

    def unreadable(execute, sql, params, many, context):
        table = Release._meta.db_table if trouble == "unreadable" else "no table has such a name"
        return execute(sql.replace(f'"{table}"', '"nothing"'), params, many, context)

    with connection.execute_wrapper(unreadable):
        answers = [recommend(reader, "books", 2) for _ in range(3)]
    assert {(answer.arm, answer.release, answer.fallback_reason) for answer in answers} == {("b", 2, "pin_not_loaded")}
    assert [row.fallback_reason for row in RequestLog.objects.all()] == ["pin_not_loaded"] * 3
    assert 1 <= sum(record.levelname == "ERROR" for record in caplog.records) <= 2


def test_every_page_says_that_the_pin_is_not_loaded(two_releases):
    _, reader = arms_of(make_phase({"control": {}, "b": {"release": 9}}), two_releases)
    first = recommend(reader, "books", 2, cursor="first")
    second = recommend(reader, "books", 2, cursor=first.next_cursor)
    assert [first.fallback_reason, second.fallback_reason] == ["pin_not_loaded"] * 2


def test_no_more_than_a_few_are_in_memory(two_releases):
    for number in range(3, 10):
        Release.objects.create(use_case="books", number=number, status="retired", promoted_at=timezone.now())
    released = live.current("books")
    for number in (1, *range(3, 10)):
        pinned_releases.pinned("books", number, released)
    assert pinned_releases.pinned_numbers("books") == {6, 7, 8, 9}


@pytest.mark.django_db
def test_new_items_are_laid_over_both_without_a_new_overlay_for_every_request(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path)}
    colours.publish(colours.add_books(), "content_based")
    Release.objects.filter(use_case="books").update(status="retired", number=1)
    library.put_live(2, *live_names_of(1))
    use_case, released = get_use_case("books"), live.current("books")
    pinned = pinned_releases.pinned("books", 1, released)
    assert pinned.number == 1 != released.number
    covers = [overlay.overlay_of(use_case, release).cover for release in (released, pinned, released, pinned)]
    assert covers[0] is covers[2]
    assert covers[1] is covers[3]
    assert covers[0].reader is covers[1].reader  # they share the engine that encodes
    recommend(library.add_reader(), "books", 2)  # no arm pins anything
    assert [cover.release.number for cover in overlay._covers["books"]] == [2]


def live_names_of(number):
    return [member.version.name for member in Release.objects.get(number=number).members.all()]
