"""A cache that is dead, slow or full of garbage changes nothing but speed."""

import os
import signal
import threading
import time

import pytest
from django.core.cache import caches
from django.test import Client

from recommender_app.conf import DEFAULTS
from recommender_app.serving import single_flight, slate_cache
from recommender_app.serving.cache import PatientCache
from recommender_app.serving.deadline import Deadline
from recommender_app.serving.service import recommend
from recommender_app.serving.single_flight import fetched
from recommender_app.testing import override_engine
from tests import services
from tests.app import library
from tests.app.test_slate_cache import CountingEngine

pytestmark = [pytest.mark.django_db, pytest.mark.services]
N_PARALLEL = 100


@pytest.fixture(autouse=True)
def cache_is_on(settings, tmp_path):
    settings.RECOMMENDER = {
        **settings.RECOMMENDER,
        "ARTIFACT_ROOT": str(tmp_path),
        "SLATE_CACHE_SECONDS": 60.0,
        "SLATE_CACHE": "slates",
    }
    yield
    slate_cache.cache.forget()


@pytest.fixture
def use_redis(settings, monkeypatch):
    """Cache slates in a Redis; a machine that is busy with other things is not what is tested: patience is long."""
    monkeypatch.setattr(slate_cache.cache, "SLOW_SECONDS", 60.0)

    def use(url, seconds=30.0):
        slates = {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": url,
            "OPTIONS": {"socket_timeout": seconds, "socket_connect_timeout": seconds},
        }
        settings.CACHES = {**settings.CACHES, "slates": slates}

    return use


@pytest.fixture
def engine():
    engine = CountingEngine([book.pk for book in library.add_shelves(5)])
    with override_engine("books", engine):
        yield engine


def ask(reader):
    client = Client()
    client.force_login(reader.account)
    response = client.get("/api/recommendations/books/", {"limit": 2})
    return response.status_code, [result["item"]["label"] for result in response.json()["results"]]


def raw(url):
    import redis

    return redis.Redis.from_url(url)


EXPECTED = (200, ["tea-0", "tea-1"])


def test_redis_keeps_lists_between_processes_as_text_of_our_own(use_redis, redis_url, engine):
    use_redis(redis_url)
    reader = library.add_reader()
    assert [ask(reader), ask(reader)] == [EXPECTED, EXPECTED]
    assert engine.n_asked == 1
    assert caches["slates"].get(slate_key(reader)).startswith("[1, [[")


def slate_key(reader):
    """Return the key that a request of the reader reads."""
    keys = []
    found, slate_cache.key_of = slate_cache.key_of, lambda *args: keys.append(found(*args)) or keys[-1]
    try:
        recommend(reader, "books", 2)
    finally:
        slate_cache.key_of = found
    return keys[0]


def test_without_pickle_lists_and_counters_are_kept_just_the_same(use_redis, redis_url, engine, settings):
    use_redis(redis_url)
    settings.CACHES["slates"]["OPTIONS"]["serializer"] = "recommender_app.serving.cache_serializer.JSONSerializer"
    reader = library.add_reader("bob")
    assert [ask(reader), ask(reader)] == [EXPECTED, EXPECTED]
    assert engine.n_asked == 1
    key = caches["slates"].make_key(slate_key(reader))
    assert raw(redis_url).get(key).startswith(b'"[1, [[')
    raw(redis_url).set(key, b"cposix\nsystem\n(S'true'\ntR.")
    assert [ask(reader), ask(reader)] == [EXPECTED, EXPECTED]
    caches["slates"].add("counter", 0)
    assert [caches["slates"].incr("counter"), caches["slates"].get("counter")] == [1, 1]


def test_row_29_a_dead_redis_is_asked_once_and_then_left_alone(use_redis, engine, caplog):
    use_redis(f"redis://127.0.0.1:{services.free_port()}/0")
    reader = library.add_reader()
    assert [ask(reader) for _ in range(3)] == [EXPECTED] * 3
    assert engine.n_asked == 3
    assert len([record for record in caplog.records if "left alone" in record.getMessage()]) == 1


def test_row_29_a_redis_that_dies_between_two_requests(use_redis, engine):
    reader = library.add_reader()
    with services.running_redis() as url:
        use_redis(url)
        assert [ask(reader), ask(reader)] == [EXPECTED, EXPECTED]
    assert [ask(reader), ask(reader)] == [EXPECTED, EXPECTED]
    assert engine.n_asked == 3


def test_row_30_a_redis_that_does_not_reply_is_waited_for_once(use_redis, engine, caplog):
    reader = library.add_reader()
    with services.running_redis() as url:
        use_redis(url, seconds=0.5)
        process = raw(url).info("server")["process_id"]
        os.kill(process, signal.SIGSTOP)
        try:
            assert [ask(reader) for _ in range(3)] == [EXPECTED] * 3
        finally:
            os.kill(process, signal.SIGCONT)
        assert len([record for record in caplog.records if "left alone" in record.getMessage()]) == 1
        slate_cache.cache.forget()
        assert [ask(reader), ask(reader)] == [EXPECTED, EXPECTED]
    assert engine.n_asked == 4


def test_row_30_a_cache_without_timeouts_that_is_slow_is_left_alone_too(settings, engine, monkeypatch):
    from django.core.cache.backends.locmem import LocMemCache

    def slow_get(self, *args, **kwargs):
        time.sleep(0.15)

    settings.CACHES = {**settings.CACHES, "slates": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    reader = library.add_reader()
    monkeypatch.setattr(LocMemCache, "get", slow_get)
    recommend(reader, "books", 2)
    assert PatientCache("slates").is_paused
    assert not PatientCache("default").is_paused


GARBAGE = {
    "no pickle": b"\xff\x00garbage",
    "a pickle of a class that is gone": b"cno_such_module\nGone\n.",
    "cut off": b"\x80\x05\x95",
    "another value": 7,
}
TEXTS = ["", "x", "[]", "null", "{}", "[0, [], {}, {}]", "[1, [], {}, {}]", "[1, 5, {}, {}]", "[1, [], 5, {}]"]
TEXTS += ["[1, [[1, 2]], {}, {}]", '[1, [["x", 1.0, "als", false]], {}, {}]']
TEXTS += ['[1, [["00000000-0000-0000-0000-000000000001", NaN, "als", false]], {}, {}]']
TEXTS += [
    "[" * 200_000,
    f'[1, [["x", 1{"0" * 400}, "als", false]], {{}}, {{}}]',
    "[1, [[Infinity, 1.0, 2, 3]], {}, {}]",
]


@pytest.mark.parametrize("value", GARBAGE.values(), ids=GARBAGE)
def test_row_31_bytes_that_others_wrote_are_no_list_and_are_overwritten(use_redis, redis_url, engine, value):
    use_redis(redis_url)
    reader = library.add_reader()
    key = slate_key(reader)
    raw(redis_url).set(caches["slates"].make_key(key), value)
    assert [ask(reader), ask(reader)] == [EXPECTED, EXPECTED]
    assert engine.n_asked == 2
    assert not PatientCache("slates").is_paused


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:40])
def test_row_31_texts_of_another_format_are_no_list_and_are_overwritten(use_redis, redis_url, engine, text):
    use_redis(redis_url)
    reader = library.add_reader()
    caches["slates"].set(slate_key(reader), text)
    assert [ask(reader), ask(reader)] == [EXPECTED, EXPECTED]
    assert engine.n_asked == 2


def test_row_31_a_value_of_another_type_is_overwritten(use_redis, redis_url, engine):
    use_redis(redis_url)
    reader = library.add_reader()
    key = caches["slates"].make_key(slate_key(reader))
    raw(redis_url).delete(key)
    raw(redis_url).rpush(key, "a", "b")
    assert [ask(reader), ask(reader)] == [EXPECTED, EXPECTED]
    assert engine.n_asked == 2


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self):
        self.now, self.sleeping, self.changed = 0.0, {}, threading.Condition()

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        with self.changed:
            until = self.sleeping[threading.get_ident()] = self.now + seconds
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: self.now >= until, timeout=60)

    def is_quiet(self, n_busy):
        """Tell whether all but so many threads sleep."""
        return sum(until > self.now for until in self.sleeping.values()) >= N_PARALLEL - n_busy

    def step(self, is_time):
        """Let 10 ms pass as soon as it is time."""
        with self.changed:
            until = time.monotonic() + 60
            while not is_time():
                self.changed.wait(timeout=0.01)
                assert time.monotonic() < until
            self.now += single_flight.POLL_SECONDS
            self.changed.notify_all()


def computed_at(monkeypatch, cost_ms):
    """Ask for a hot key a hundred times at once, with the time that requests have; return when each computation began.

    Args:
        cost_ms: what the first computation takes.
    """
    clock, began, results = Clock(), [], []
    monkeypatch.setattr(single_flight, "time", clock)
    waits = slate_cache.wait_seconds(Deadline(DEFAULTS["BUDGET_MS"], clock.monotonic))

    def compute():
        is_first = not began
        began.append(clock.now)
        for _ in range(cost_ms // 10 if is_first else 0):
            clock.step(lambda: clock.is_quiet(1 + len(results)))
        return "result", "text"

    def fetch():
        accept = {"text": "result"}.get
        memory = PatientCache("slates")
        results.append(
            fetched(memory, f"hot_{cost_ms}", seconds=60, wait_seconds=waits, accept=accept, compute=compute)
        )

    threads = [threading.Thread(target=fetch, daemon=True) for _ in range(N_PARALLEL)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 60
    while any(thread.is_alive() for thread in threads) and time.monotonic() < until:
        time.sleep(0.01)
        if results:  # whoever still sleeps looks again
            clock.step(lambda: clock.is_quiet(len(results)))
    assert results == ["result"] * N_PARALLEL
    return began


def test_row_32_a_hundred_parallel_requests_for_a_hot_key_compute_once(use_redis, redis_url, monkeypatch):
    use_redis(redis_url)
    assert computed_at(monkeypatch, cost_ms=90) == [0.0]


def test_row_32_who_has_waited_for_half_of_the_budget_computes_too(use_redis, redis_url, monkeypatch):
    use_redis(redis_url)
    began = computed_at(monkeypatch, cost_ms=150)
    half = DEFAULTS["BUDGET_MS"] / 2 / 1000
    assert len(began) > 1, began
    assert all(abs(at - half) <= 1.1 * single_flight.POLL_SECONDS for at in sorted(began)[1:]), began
