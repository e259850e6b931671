"""A release with much to verify is loaded by a thread, while the one before it answers."""

import threading
import time

import pytest

from recommender_app.artifacts.live_hint import LiveHint, write_live_hint
from recommender_app.models import Release
from recommender_app.registry import releases
from recommender_app.serving import live, swapping
from recommender_app.serving.loading import load_release
from recommender_app.serving.service import recommend
from tests.app import library
from tests.app.test_live import damage

NAME = "recommender-load"


@pytest.fixture(autouse=True)
def root(settings, tmp_path, monkeypatch):
    values = {"ARTIFACT_ROOT": str(tmp_path), "PRELOAD": True, "RELOAD_SECONDS": 0.0, "COLD_START_THRESHOLD": 1}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    monkeypatch.setattr(swapping, "INLINE_BYTES", 0)  # every artifact is a large one
    return tmp_path


@pytest.fixture
def books(db):
    books = library.add_shelves(3)
    for number in (1, 2):
        library.publish(f"als_v{number}", library.als_engine(books), books)
    library.put_live(1, "als_v1")
    return books


@pytest.fixture
def gate(monkeypatch):
    """Loading waits until the gate is opened; but never in the first request."""
    opened = threading.Event()

    def loaded(*args):
        if threading.current_thread().name == NAME:
            assert opened.wait(30)
        return load_release(*args)

    monkeypatch.setattr(swapping, "load_release", loaded)
    yield opened
    opened.set()
    wait_for_threads()


def wait_for_threads():
    for thread in threading.enumerate():
        if thread.name == NAME:
            thread.join(30)


def test_the_release_before_answers_until_the_new_one_is_verified(books, gate):
    reader = library.add_reader(likes=(books[0],))
    assert recommend(reader, "books").model_version == "als_v1"
    library.put_live(2, "als_v2")
    assert [recommend(reader, "books").model_version for _ in range(3)] == ["als_v1"] * 3
    gate.set()
    wait_for_threads()
    assert recommend(reader, "books").model_version == "als_v2"


def test_the_first_request_of_a_process_waits_for_the_release_that_is_live(books, gate):
    assert live.current("books").versions == {"als": "als_v1"}


def test_loading_at_start_begins_no_thread(books, gate, root):
    write_live_hint(root, LiveHint("books", 1, {"als": "als_v1"}))
    live.preload()
    assert live._live["books"].release.number == 1
    assert NAME not in [thread.name for thread in threading.enumerate()]


def test_a_process_that_loaded_a_release_at_start_goes_on_with_it_while_the_newer_one_is_loaded(books, gate, root):
    write_live_hint(root, LiveHint("books", 1, {"als": "als_v1"}))
    live.preload()
    library.put_live(2, "als_v2")
    assert [live.current("books").number for _ in range(2)] == [1, 1]
    gate.set()
    wait_for_threads()
    assert live.current("books").number == 2


def test_where_a_release_was_loaded_at_start_nobody_waits_while_the_database_is_asked_first(books, root, monkeypatch):
    write_live_hint(root, LiveHint("books", 1, {"als": "als_v1"}))
    live.preload()
    answers = []

    def slow_verify(self):
        thread = threading.Thread(target=lambda: answers.append(live.current("books").number))
        thread.start()
        thread.join(10)
        assert not thread.is_alive()

    monkeypatch.setattr(live.LiveRelease, "_verify", slow_verify)
    live.current("books")
    assert answers == [1]


def test_the_very_first_release_is_waited_for_by_nobody_who_was_served_before(books, gate):
    library.put_live(2)
    reader = library.add_reader(likes=(books[0],))
    assert recommend(reader, "books").engine == "newest"
    library.put_live(3, "als_v2")
    assert recommend(reader, "books").engine == "newest"
    gate.set()
    wait_for_threads()
    assert recommend(reader, "books").model_version == "als_v2"


def test_row_6_a_damaged_artifact_that_a_thread_verified_is_refused(books, gate, root):
    live.current("books")
    damage(root, "als_v2")
    library.put_live(2, "als_v2")
    gate.set()
    live.current("books")
    wait_for_threads()
    assert live.current("books").number == 1
    assert "release 2 cannot be loaded here, the one before goes on" in live.waits_for("books")


def test_a_roll_back_while_a_release_is_loaded_is_not_undone_when_it_is_ready(books, gate):
    live.current("books")
    newer = library.put_live(2, "als_v2")
    newer.previous = Release.objects.get(number=1)
    newer.save()
    live.current("books")
    releases.roll_back("books", by="ann")
    assert live.current("books").number == 1
    gate.set()
    wait_for_threads()
    assert live._of("books").release.number == 1
    assert (live.current("books").number, live.current("books").versions) == (1, {"als": "als_v1"})


def test_a_release_that_another_one_followed_while_it_was_loaded_is_never_served(books, gate):
    library.publish("als_v3", library.als_engine(books), books)
    live.current("books")
    library.put_live(2, "als_v2")
    live.current("books")
    library.put_live(3, "als_v3")
    live.current("books")
    gate.set()
    wait_for_threads()
    assert live._of("books").release.number == 1
    live.current("books")
    wait_for_threads()
    assert live.current("books").number == 3


def test_where_threads_do_not_run_the_release_after_the_one_that_is_stuck_is_loaded_too(books, gate, monkeypatch):
    library.publish("als_v3", library.als_engine(books), books)
    live.current("books")
    library.put_live(2, "als_v2")
    live.current("books")
    library.put_live(3, "als_v3")
    monkeypatch.setattr(swapping, "PATIENCE_SECONDS", -1.0)
    assert live.current("books").number == 3


def test_a_release_that_was_taken_back_while_it_was_loaded_is_never_served(books, gate):
    live.current("books")
    library.put_live(2, "als_v2")
    live.current("books")
    Release.objects.all().update(status=Release.Status.RETIRED)
    assert live.current("books") is None
    gate.set()
    wait_for_threads()
    assert live.current("books") is None


def test_where_threads_do_not_run_a_request_loads_after_a_while(books, gate, monkeypatch):
    live.current("books")
    library.put_live(2, "als_v2")
    assert live.current("books").number == 1
    monkeypatch.setattr(swapping, "PATIENCE_SECONDS", -1.0)
    assert live.current("books").number == 2


def test_where_no_thread_can_be_started_the_request_loads(books, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    live.current("books")
    library.put_live(2, "als_v2")
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert live.current("books").number == 2


def test_a_small_release_needs_no_thread(books, gate, monkeypatch):
    monkeypatch.setattr(swapping, "INLINE_BYTES", 4_000_000)
    live.current("books")
    library.put_live(2, "als_v2")
    assert live.current("books").number == 2


def test_under_load_every_answer_is_of_one_release_and_the_new_one_arrives(books):
    """Row 12, within one process: four threads ask while releases follow each other."""
    seen, until = set(), time.monotonic() + 30
    slot = live._of("books").slot
    slot.load(1, {"als": "als_v1"})

    def ask():
        while slot.release.versions["als"] != "als_v2" and time.monotonic() < until:
            release = slot.release
            seen.add((release.number, release.versions["als"], release.artifacts["als"].manifest.version))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    slot.load_meanwhile(2, {"als": "als_v2"})
    for thread in threads:
        thread.join()
    assert seen <= {(1, "als_v1", "als_v1"), (2, "als_v2", "als_v2")}
    assert slot.release.number == 2
