"""Rates: exactly so many pass, the time to come back is right, and a broken cache lets everybody pass."""

import math
import threading
from types import SimpleNamespace

import pytest
from django.core.cache import cache, caches
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from recommender_app.api.throttling import (
    AnonymousListThrottle,
    RecommendationThrottle,
    RecommenderThrottle,
    n_unlimited,
    refusals,
)
from tests.app import library

REDIS = "django.core.cache.backends.redis.RedisCache"


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(RecommenderThrottle, "_paused_until", 0.0)


def throttle_of(rate, now=None):
    """Return a throttle of its own, as DRF makes one per request."""
    throttle = RecommendationThrottle()
    throttle.rate = rate
    throttle.num_requests, throttle.duration = throttle.parse_rate(rate)
    if now is not None:
        throttle.timer = lambda: now
    return throttle


def request_of(account=1, address="10.0.0.1"):
    return SimpleNamespace(user=SimpleNamespace(pk=account), headers={}, META={"REMOTE_ADDR": address})


def passes(rate, now, **who):
    return throttle_of(rate, now).allow_request(request_of(**who), None)


def passed_in_parallel(rate, n):
    start, answers = threading.Barrier(20), []

    def ask():
        start.wait(timeout=60)
        answers.extend(passes(rate, None) for _ in range(n // 20))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == n
    return answers.count(True)


def test_row_58_of_200_parallel_requests_exactly_the_rate_passes_with_the_local_memory_cache():
    assert passed_in_parallel("20/day", 200) == 20


@pytest.mark.services
def test_row_58_of_200_parallel_requests_exactly_the_rate_passes_with_redis(settings, redis_url):
    settings.CACHES = {"default": {"BACKEND": REDIS, "LOCATION": redis_url}}
    assert passed_in_parallel("20/day", 200) == 20


def test_accounts_and_addresses_have_counters_of_their_own():
    assert [passes("1/min", 0.0, account=account) for account in (1, 2, 1)] == [True, True, False]
    assert [passes("1/min", 0.0, account=None, address=address) for address in ("::1", "::2", "::1")] == [1, 1, 0]


def test_a_client_may_say_it_has_any_address_whatever(settings):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": None}
    throttle = throttle_of("1/min", 0.0)
    said = {"x-forwarded-for": "\udcff é\0" + "x" * 9000}
    request = SimpleNamespace(user=None, headers=said, META={"REMOTE_ADDR": "10.0.0.1"})
    assert throttle.allow_request(request, None)
    assert throttle.get_cache_key(request, None).isascii()


@pytest.mark.parametrize("n_proxies", [None, 0, 1])
def test_row_59_what_a_client_says_of_its_address_buys_no_further_requests(settings, n_proxies):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": n_proxies}
    seen_by_the_proxy = "" if n_proxies != 1 else ", 203.0.113.9"  # what the host's own proxy adds

    def asks(place):
        said = f"198.51.100.{place}, 10.1.1.{place}{seen_by_the_proxy}"
        request = request_of(account=None)
        request.META["HTTP_X_FORWARDED_FOR"] = said
        request.headers["x-forwarded-for"] = said
        return throttle_of("2/min", 0.0).allow_request(request, None)

    assert [asks(place) for place in range(6)] == [True, True] + [False] * 4


@pytest.mark.django_db
def test_row_59_neither_a_login_nor_a_stranger_passes_more_often_under_other_addresses(settings, client):
    rates = {"recommendations": "2/min", "schema": "2/min"}
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": rates}
    reader = library.add_reader()
    for url, account in (("/api/recommendations/books/", reader.account), ("/api/schema/", None)):
        if account:
            client.force_login(account)
        replies = [client.get(url, headers={"x-forwarded-for": f"198.51.100.{place}"}) for place in range(4)]
        assert [reply.status_code for reply in replies] == [200, 200, 429, 429]
        assert all(int(reply["Retry-After"]) > 0 for reply in replies[2:])
        client.logout()


def test_around_the_end_of_a_window_no_more_pass_than_within_one():
    assert [passes("2/min", now) for now in (59.0, 59.9, 60.1, 61.0)] == [True, True, False, False]


def test_what_was_refused_does_not_count():
    assert [passes("2/min", 60.0) for _ in range(9)] == [True, True] + [False] * 7
    assert passes("2/min", 150.0)  # half of the two is forgotten


@given(
    rate=st.integers(1, 5),
    moments=st.lists(st.floats(0, 120, allow_nan=False), min_size=1, max_size=30).map(sorted),
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_whoever_is_refused_passes_after_the_time_that_is_named(rate, moments):
    cache.clear()
    text = f"{rate}/min"
    for now in moments:
        throttle = throttle_of(text, 6000.0 + now)
        if not throttle.allow_request(request_of(), None):
            wait = throttle.wait()
            assert 0 < wait <= 120
            assert passes(text, 6000.0 + now + math.ceil(wait))
            return


@given(moments=st.lists(st.floats(0, 300), max_size=60).map(sorted))
@hypothesis_settings(max_examples=60, deadline=None)
def test_never_do_more_pass_in_a_window_than_the_rate(moments):
    cache.clear()
    passed = [now for now in moments if passes("3/min", now)]
    assert all(sum(now // 60 == window for now in passed) <= 3 for window in range(6))


def test_a_rate_of_nothing_lets_nobody_pass_and_names_no_time():
    throttle = throttle_of("0/min", 0.0)
    assert not throttle.allow_request(request_of(), None)
    assert throttle.wait() is None


def test_a_cache_that_keeps_nothing_limits_nobody(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert [passes("1/min", 0.0) for _ in range(3)] == [True] * 3


@pytest.mark.parametrize("backend", ["db.DatabaseCache", "filebased.FileBasedCache"])
@pytest.mark.django_db
def test_caches_without_an_atomic_counter_count_too(settings, tmp_path, backend):
    from django.core.management import call_command

    where = "counters" if backend.startswith("db") else str(tmp_path)
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}", "LOCATION": where}}
    call_command("createcachetable", verbosity=0)
    assert [passes("2/min", 0.0) for _ in range(4)] == [True, True, False, False]


@pytest.mark.parametrize("garbage", ["old schema", [1.0, 2.0], None, {"a": 1}])
def test_row_31_garbage_under_a_counters_key_is_overwritten(garbage):
    key = throttle_of("2/min", 6000.0).get_cache_key(request_of(), None)
    cache.set(f"{key}_100", garbage)
    cache.set(f"{key}_99", garbage)
    assert [passes("2/min", 6000.0) for _ in range(3)] == [True, True, False]


@pytest.mark.services
@pytest.mark.parametrize("garbage", [b"", b"\x00\xff junk", b"12x", b"\x80\x05cos\nsystem\n."])
def test_row_31_garbage_under_a_counters_key_in_redis_is_overwritten(settings, redis_url, garbage):
    settings.CACHES = {"default": {"BACKEND": REDIS, "LOCATION": redis_url}}
    client = caches["default"]._cache.get_client(write=True)
    key = throttle_of("2/min", 6000.0).get_cache_key(request_of(), None)
    for window in (99, 100):
        client.set(cache.make_key(f"{key}_{window}"), garbage)
    assert [passes("2/min", 6000.0) for _ in range(3)] == [True, True, False]
    assert RecommenderThrottle._paused_until == 0.0  # the cache works: nobody passes for free


def test_row_29_a_cache_that_refuses_lets_everybody_pass_and_is_left_alone(settings, caplog):
    settings.CACHES = {"default": {"BACKEND": REDIS, "LOCATION": "redis://127.0.0.1:1/0"}}
    n_before = n_unlimited()
    assert [passes("1/min", 0.0) for _ in range(3)] == [True] * 3
    assert caplog.text.count("cache cannot be reached") == 1
    assert n_unlimited() == n_before + 3


def test_row_29_parallel_requests_that_meet_a_dead_cache_leave_one_line_and_are_all_counted(settings, caplog):
    settings.CACHES = {"default": {"BACKEND": REDIS, "LOCATION": "redis://127.0.0.1:1/0"}}
    n_before = n_unlimited()
    assert passed_in_parallel("20/day", 200) == 200
    assert caplog.text.count("cache cannot be reached") == 1
    assert n_unlimited() == n_before + 200


def test_what_one_rate_refuses_counts_under_no_other_one(settings, monkeypatch):
    rates = {"recommendations": "2/min", "anonymous_recommendations": "4/day"}
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": rates}
    stranger, passed = request_of(account=None), []
    stranger.user.is_authenticated = False
    for minute in (100, 102, 104):
        monkeypatch.setattr(RecommenderThrottle, "timer", lambda self, now=minute * 60.0: now)
        both = [(RecommendationThrottle(), AnonymousListThrottle()) for _ in range(9)]
        passed.append(sum(not refusals(throttles, stranger, None) for throttles in both))
    assert passed == [2, 2, 0]
