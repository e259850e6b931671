"""Rows 29 to 31 and 58: a broken cache costs no answer, and a cache that works counts exactly."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from tests.faults.proxy import FORWARD, GARBAGE, REFUSE, SILENT, SLOW
from tests.faults.servers import gunicorn

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.xdist_group("faults")]
ROWS = {"29": REFUSE, "30": SLOW, "30 and worse": SILENT, "31": GARBAGE}


@pytest.fixture(scope="module")
def server(site):
    with gunicorn(site, "--preload", "--workers", "1", FAULTS_RATE="1/day") as running:
        yield running


@pytest.fixture(scope="module")
def counting_server(site):
    options = ("--workers", "4", "--worker-class", "gthread", "--threads", "4", "--preload")
    with gunicorn(site, *options, FAULTS_RATE="20/day", FAULTS_CACHE_SECONDS="30") as running:
        yield running


@pytest.fixture
def counters(site):
    """The cache itself, empty before and after the test."""
    client = redis.Redis(port=site.cache.target)
    client.flushdb()
    yield client
    client.flushdb()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"row_{row.replace(' ', '_')}_{ROWS[row]}")
def test_row_29_30_31_throttling_lets_everybody_pass_while_the_cache_is_broken(site, server, counters, row):
    server.renew_worker()
    n_before = len(server.log.read_text())
    site.cache.behave(ROWS[row])
    replies = [server.get() for _ in range(8)]
    site.cache.behave(FORWARD)
    assert {reply.status for reply in replies} == {200}
    assert {reply.body["engine"] for reply in replies} == {"als"}
    assert all(reply.seconds < 5 for reply in replies)
    assert sum(reply.seconds for reply in replies) < 8  # asking each time, with a second per reply, would take longer
    assert server.log.read_text()[n_before:].count("the cache cannot be reached") == 1


def test_row_31_counters_that_hold_garbage_are_overwritten(counting_server, counters):
    assert counting_server.get().status == 200
    (key,) = counters.keys("*recommender_throttle*")
    counters.set(key, b"\x80\x05 an older schema")
    assert [counting_server.get().status for _ in range(22)] == [200] * 20 + [429] * 2


def test_row_58_of_200_parallel_requests_over_four_processes_exactly_twenty_pass(counting_server, counters):
    with ThreadPoolExecutor(20) as threads:
        replies = list(threads.map(lambda _: counting_server.get(), range(200)))
    assert sorted(reply.status for reply in replies) == [200] * 20 + [429] * 180
    refused = [reply for reply in replies if reply.status == 429]
    assert all(reply.body.keys() == {"detail"} and int(reply.headers["Retry-After"]) > 0 for reply in refused)
