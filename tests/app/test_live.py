"""Releases: loaded at start, compared with the database, swapped, never lost by an error."""

import threading

import pytest
from django.db import connection

from recommender_app.artifacts.live_hint import LiveHint, write_live_hint
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.models import Release
from recommender_app.serving import live
from recommender_app.serving.service import recommend
from tests.app import library


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {
        **settings.RECOMMENDER,
        "ARTIFACT_ROOT": str(tmp_path),
        "PRELOAD": True,
        "RELOAD_SECONDS": 0.0,
        "COLD_START_THRESHOLD": 1,
    }
    return tmp_path


@pytest.fixture
def books(db):
    return library.add_shelves(3)


def damage(root, version):
    """Flip a byte in the middle of every array of an artifact."""
    arrays = list((root / "models" / "books" / version.rsplit("_v", 1)[0] / version).rglob("*.npy"))
    assert arrays
    for path in arrays:
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.chmod(0o644)
        path.write_bytes(bytes(content))


def test_nothing_is_live_before_a_release(books):
    assert live.current("books") is None


def test_the_live_release_is_loaded_with_its_engines(books):
    library.publish("als_v1", library.als_engine(books), books)
    library.publish("popular_v1", library.popular_engine(books[:2]), books[:2])
    library.put_live(7, "als_v1", "popular_v1")
    release = live.current("books")
    assert release.number == 7
    assert release.artifacts.keys() == {"als", "popular"}
    assert release.versions == {"als": "als_v1", "popular": "popular_v1"}
    assert len(release.catalogue) == len(books)
    assert release.problems == {}


def test_a_new_release_is_swapped_in_and_keeps_what_it_shares_open(books):
    library.publish("als_v1", library.als_engine(books), books)
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "als_v1")
    first = live.current("books")
    library.put_live(2, "als_v1", "popular_v1")
    second = live.current("books")
    assert (first.number, second.number) == (1, 2)
    assert first.artifacts.keys() == {"als"}
    assert second.artifacts["als"] is first.artifacts["als"]


def test_the_row_is_read_only_every_few_seconds(books, settings, django_assert_num_queries):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "RELOAD_SECONDS": 3600}
    library.publish("als_v1", library.als_engine(books), books)
    library.put_live(1, "als_v1")
    loaded = live.current("books")
    library.put_live(2, "als_v1")
    with django_assert_num_queries(0):
        assert live.current("books") is loaded


def test_preload_reads_the_hint_without_a_query_and_the_first_request_asks_the_database(
    books, root, django_assert_num_queries
):
    library.publish("als_v1", library.als_engine(books), books)
    library.publish("als_v2", library.als_engine(books), books)
    write_live_hint(root, LiveHint("books", 1, {"als": "als_v1"}))
    library.put_live(2, "als_v2")
    with django_assert_num_queries(0):
        live.preload()
    assert live._live["books"].release.versions == {"als": "als_v1"}
    assert live.current("books").versions == {"als": "als_v2"}


def test_a_hint_that_the_database_does_not_confirm_is_dropped(books, root):
    library.publish("als_v1", library.als_engine(books), books)
    write_live_hint(root, LiveHint("books", 1, {"als": "als_v1"}))
    live.preload()
    assert live.current("books") is None


@pytest.mark.parametrize("broken", [{"ARTIFACT_ROOT": 5}, {"ARTIFACT_ROOT": "/no/such\0folder"}, {"PRELOAD": []}])
def test_preload_never_raises(settings, broken):
    settings.RECOMMENDER = {**settings.RECOMMENDER, **broken}
    live.preload()
    assert not live._live


def test_preload_may_be_switched_off(books, root, settings):
    library.publish("als_v1", library.als_engine(books), books)
    write_live_hint(root, LiveHint("books", 1, {"als": "als_v1"}))
    for value in (False, "auto"):  # the test runner serves nothing
        settings.RECOMMENDER = {**settings.RECOMMENDER, "PRELOAD": value}
        live.preload()
        assert not live._live


def test_a_damaged_artifact_is_left_out_and_the_others_serve(books, root, caplog):
    library.publish("als_v1", library.als_engine(books), books)
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "als_v1", "popular_v1")
    damage(root, "als_v1")
    for _ in range(3):
        release = live.current("books")
    assert release.artifacts.keys() == {"popular"}
    assert release.problems.keys() == {"als"}
    assert len([record for record in caplog.records if "als" in record.getMessage()]) == 1
    answer = recommend(library.add_reader(likes=(books[0],)), "books", 2)
    assert (answer.engine, answer.fallback_reason) == ("popular", "artifact_damaged")


def test_a_missing_folder_is_a_named_fallback(books, root):
    library.put_live(1, "als_v1")
    answer = recommend(library.add_reader(likes=(books[0],)), "books", 2)
    assert (answer.engine, answer.fallback_reason, len(answer.results)) == ("newest", "artifact_damaged", 2)


def test_an_artifact_that_was_repaired_is_found_after_a_while(books, root, monkeypatch):
    library.put_live(1, "als_v1")
    assert live.current("books").problems.keys() == {"als"}
    library.publish("als_v1", library.als_engine(books), books)
    assert live.current("books").problems.keys() == {"als"}
    monkeypatch.setattr(live, "RETRY_SECONDS", 0.0)
    assert live.current("books").artifacts.keys() == {"als"}


def test_a_deleted_folder_goes_on_serving_from_memory(books, root):
    library.publish("als_v1", library.als_engine(books), books)
    library.put_live(1, "als_v1")
    reader = library.add_reader(likes=(books[0],))
    before = recommend(reader, "books", 3)
    ArtifactStore(root).delete("books", "als", "als_v1")
    assert recommend(reader, "books", 3).results == before.results


def test_a_database_that_is_gone_keeps_the_release(books, caplog):
    library.publish("als_v1", library.als_engine(books), books)
    library.put_live(1, "als_v1")
    loaded = live.current("books")
    with connection.execute_wrapper(library.refuse):
        assert live.current("books") is loaded
        assert live.current("books") is loaded
    assert len([record for record in caplog.records if "cannot be read" in record.getMessage()]) == 1
    assert live.current("books") is loaded


@pytest.mark.django_db
def test_a_missing_table_leaves_the_hint_serving_and_the_transaction_usable(books, root):
    library.publish("als_v1", library.als_engine(books), books)
    write_live_hint(root, LiveHint("books", 1, {"als": "als_v1"}))
    live.preload()
    with connection.execute_wrapper(without_table(Release._meta.db_table)):
        assert live.current("books").number == 1
    assert Release.objects.count() == 0


def without_table(name):
    """Return a wrapper that makes a table look missing to the database itself."""

    def wrapper(execute, sql, params, many, context):
        return execute(sql.replace(name, "no_such_table"), params, many, context)

    return wrapper


def test_a_release_that_was_taken_back_is_no_longer_served(books):
    library.publish("als_v1", library.als_engine(books), books)
    library.put_live(1, "als_v1")
    assert live.current("books").number == 1
    Release.objects.update(status="retired")
    assert live.current("books") is None


def test_other_settings_mean_other_models(books, settings, tmp_path):
    library.publish("als_v1", library.als_engine(books), books)
    library.put_live(1, "als_v1")
    assert live.current("books").artifacts
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path / "elsewhere")}
    assert live.current("books").problems.keys() == {"als"}


def test_while_one_thread_loads_others_are_served_from_the_release_before(books, monkeypatch):
    library.publish("als_v1", library.als_engine(books), books)
    library.put_live(1, "als_v1")
    loaded = live.current("books")
    seen = []

    def slow_verify(self):
        thread = threading.Thread(target=lambda: seen.append(live.current("books")))
        thread.start()
        thread.join(10)
        assert not thread.is_alive()

    monkeypatch.setattr(live.LiveRelease, "_verify", slow_verify)
    live.current("books")
    assert seen == [loaded]
