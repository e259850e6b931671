"""The slate cache changes nothing but speed: same lists, nothing hidden, nobody else's."""

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from recommender_app.serving import live
from recommender_app.serving.cache import PatientCache
from recommender_app.serving.cache_serializer import JSONSerializer
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.serving.single_flight import fetched
from recommender_app.testing import FixedEngine, override_engine
from tests.app import library
from tests.toyhost.models import Book


class CountingEngine(FixedEngine):
    """Counts how often it is asked."""

    n_asked = 0

    def score(self, batch, items=None):
        self.n_asked += 1
        return super().score(batch, items)


@pytest.fixture(autouse=True)
def cache_is_on(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "SLATE_CACHE_SECONDS": 60.0}


@pytest.fixture
def books(db):
    return library.add_shelves(10)


@pytest.fixture
def engine(books):
    engine = CountingEngine([book.pk for book in books])
    with override_engine("books", engine):
        yield engine


def compared(answer):
    return [(place.rank, place.id, place.score, place.source) for place in answer.results], answer.fallback_reason


def test_an_unchanged_user_gets_the_same_list_without_the_engine(engine):
    reader = library.add_reader()
    first, second = recommend(reader, "books", 3), recommend(reader, "books", 3)
    assert engine.n_asked == 1
    assert compared(first) == compared(second)
    assert (second.engine, second.model_version, second.engine_ms) == ("fixed", "fixed_v0", {})


def test_what_a_process_with_a_damaged_engine_stores_is_no_list_of_the_others(books):
    library.publish("als_v1", library.als_engine(books), books)
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "als_v1", "popular_v1")
    reader, whole = library.add_reader(likes=(books[0],)), live.current("books")
    left = {"popular": whole.artifacts["popular"]}
    damaged = replace(whole, artifacts=left, problems={"als": "a byte is wrong"}, variants={})
    with forced_policy("books", Policy("test", ((0, "als"),))):
        with live.overridden(damaged):
            assert recommend(reader, "books", 3).fallback_reason == "artifact_damaged"
        answer = recommend(reader, "books", 3)
    assert (answer.engine, answer.fallback_reason) == ("als", "")


def test_it_is_off_unless_asked_for(engine, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "SLATE_CACHE_SECONDS": 0}
    with override_engine("books", engine):
        reader = library.add_reader()
        recommend(reader, "books", 3)
        recommend(reader, "books", 3)
    assert engine.n_asked == 2


def test_what_was_hidden_since_is_not_shown_and_its_place_is_filled(engine, books):
    reader = library.add_reader()
    recommend(reader, "books", 2)
    Book.objects.filter(pk=books[0].pk).update(is_published=False)
    assert library.titles(recommend(reader, "books", 2).results) == ["tea-1", "tea-2"]
    Book.objects.filter(pk__in=[book.pk for book in books[:9]]).update(is_published=False)
    assert library.titles(recommend(reader, "books", 2).results) == ["tea-9", "sea-0"]


@pytest.mark.parametrize("kind", ["view", "like", "finish", "dislike"])
def test_the_very_next_request_knows_a_new_interaction(engine, books, kind):
    reader = library.add_reader()
    recommend(reader, "books", 3)
    library.read(reader, books[0], kind)
    shown = library.titles(recommend(reader, "books", 3).results)
    assert engine.n_asked == 2
    assert ("tea-0" in shown) == (kind in ("view", "like"))


@pytest.mark.parametrize("change", ["other reader", "other limit", "pages", "other bio", "other policy"])
def test_whatever_matters_is_in_the_key(engine, change):
    reader = library.add_reader()
    recommend(reader, "books", 3)
    if change == "other reader":
        recommend(library.add_reader("bob"), "books", 3)
    elif change == "other policy":
        with forced_policy("books", Policy("other", ((0, "fixed"),), diversity=0.1)):
            recommend(reader, "books", 3)
    elif change == "other bio":
        reader.bio = "tea"
        reader.save()
        recommend(reader, "books", 3)
    else:
        recommend(reader, "books", 4 if change == "other limit" else 3, cursor="first" if change == "pages" else "")
    assert engine.n_asked == 2


def test_another_release_is_another_key(books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "RELOAD_SECONDS": 0.0}
    reader = library.add_reader()
    library.publish("popular_v1", library.popular_engine(books), books)
    library.publish("popular_v2", library.popular_engine(books[::-1]), books[::-1])
    library.put_live(1, "popular_v1")
    assert library.titles(recommend(reader, "books", 2).results) == ["tea-0", "tea-1"]
    library.put_live(2, "popular_v2")
    assert library.titles(recommend(reader, "books", 2).results) == ["sea-9", "sea-8"]
    library.put_live(3, "popular_v1")
    assert library.titles(recommend(reader, "books", 2).results) == ["tea-0", "tea-1"]


def test_a_failure_is_not_remembered(books):
    reader, engine = library.add_reader(), CountingEngine([book.pk for book in books], fails=True)
    with override_engine("books", engine):
        assert recommend(reader, "books", 2).fallback_reason == "engine_failed"
        engine.fails = False
        assert (recommend(reader, "books", 2).engine, engine.n_asked) == ("fixed", 2)


def test_pages_go_on_from_a_first_page_out_of_the_cache(engine):
    reader = library.add_reader()
    recommend(reader, "books", 3, cursor="first")
    first = recommend(reader, "books", 3, cursor="first")
    second = recommend(reader, "books", 3, cursor=first.next_cursor)
    assert engine.n_asked == 1
    assert library.titles(second.results) == ["tea-3", "tea-4", "tea-5"]


def test_time_that_passes_is_no_reason_to_compute_again(books, monkeypatch):
    from tests.toyhost.recommendations import BooksForReaders

    monkeypatch.setattr(BooksForReaders, "half_life_days", 30.0)
    reader = library.add_reader()
    reading = library.read(reader, books[0], "like")
    reading.at = timezone.now() - timedelta(days=3)
    reading.save()
    engine = CountingEngine([book.pk for book in books])
    with override_engine("books", engine):
        recommend(reader, "books", 3)
        recommend(reader, "books", 3)
    assert engine.n_asked == 1


def fetch(computed, wait_seconds, key="slate"):
    def compute():
        computed.append(1)
        time.sleep(0.05)
        return "result", "text"

    accept = {"text": "result"}.get
    return fetched(PatientCache("default"), key, seconds=60, wait_seconds=wait_seconds, accept=accept, compute=compute)


def test_who_waits_in_vain_computes_too():
    PatientCache("default").add("slate:lock", 60)
    computed = []
    assert fetch(computed, wait_seconds=0.02) == "result"
    assert len(computed) == 1


def test_a_computation_that_fails_leaves_no_lock():
    def fail():
        raise ZeroDivisionError

    memory = PatientCache("default")
    with pytest.raises(ZeroDivisionError):
        fetched(memory, "slate", seconds=60, wait_seconds=0, accept=str, compute=fail)
    assert memory.add("slate:lock", 60) is True


def test_threads_that_ask_together_compute_once():
    computed, results = [], []
    threads = [threading.Thread(target=lambda: results.append(fetch(computed, 60))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["result"] * 20
    assert len(computed) == 1


@pytest.mark.parametrize("value", [0, -7, True, None, "text", "é", [1.5, "x"], {"a": [None]}])
def test_the_json_serializer_returns_what_it_was_given(value):
    stored = JSONSerializer().dumps(value)
    found = JSONSerializer().loads(str(stored).encode() if isinstance(stored, int) else stored)
    assert (found, type(found)) == (value, type(value))


def test_the_json_serializer_runs_no_code_that_others_stored():
    with pytest.raises(ValueError):
        JSONSerializer().loads(b"cposix\nsystem\n(S'true'\ntR.")


def test_who_finished_between_our_look_and_our_lock_is_believed():
    class Late(PatientCache):
        def add(self, key, seconds):
            self.set("slate", "text", 60)  # another process computes, stores and unlocks just now
            return super().add(key, seconds)

    found = fetched(
        Late("default"),
        "slate",
        seconds=60,
        wait_seconds=0,
        accept={"text": "result"}.get,
        compute=lambda: ("mine", ""),
    )
    assert found == "result"
    assert PatientCache("default").add("slate:lock", 60) is True
