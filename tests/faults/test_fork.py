"""Row 74: processes forked after every engine was used answer, and none of them hangs."""

import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.servers import ROOT, filled_site, gunicorn

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.xdist_group("faults")]
HANG_SECONDS = 150
AS_USUAL = {"FAULTS_RELOAD_SECONDS": "5"}
COUNT = "SELECT engine, count(*) FROM recommender_app_requestlog GROUP BY engine"


@pytest.fixture(scope="module")
def site():
    with filled_site("all") as filled:
        yield filled


def shared_out(n, engines):
    """Return {engine: number of requests}, n and a few in all."""
    return dict.fromkeys(engines, -(-n // len(engines)))


@pytest.mark.timeout(400)
def test_row_74_with_preload_a_thousand_requests_over_all_engines(site):
    wanted = shared_out(1000, site.engines)
    engines = list(Counter(wanted).elements())
    options = ("--preload", "--workers", "2", "--worker-class", "sync", "--threads", "1", "--timeout", "60")
    where = {"application": "tests.faults.site.wsgi", **AS_USUAL}
    with gunicorn(site, *options, **where) as server, ThreadPoolExecutor(4) as threads:
        replies = list(threads.map(lambda engine: server.get("signed", **{"X-Engine": engine}), engines))
        log = server.log.read_text()
    assert Counter(reply.body["engine"] for reply in replies) == wanted
    assert {reply.status for reply in replies} == {200}
    assert "WORKER TIMEOUT" not in log
    assert log.count("Booting worker") == 2  # the two that were forked at the start answered everything


@pytest.mark.timeout(400)
def test_row_74_in_the_children_of_a_celery_worker(site):
    from tests.faults.site.celery import recommend_often

    before, wanted = Counter(dict(site.execute(COUNT))), shared_out(240, site.engines)
    command = [sys.executable, "-m", "celery", "-A", "tests.faults.site.celery", "worker", "--pool", "prefork"]
    command += ["--concurrency", "2", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    log = site.folder / "celery.log"
    with log.open("wb") as output:
        worker = subprocess.Popen(command, cwd=ROOT, env={**site.environment, **AS_USUAL}, stdout=output, stderr=output)
    try:
        send = recommend_often.app.connection_for_write(site.environment["CELERY_BROKER_URL"])
        for engine, n in wanted.items():
            recommend_often.apply_async((engine, n), connection=send)
        until = time.monotonic() + HANG_SECONDS
        while (missing := wanted_after(site, before, wanted)) and time.monotonic() < until:
            assert worker.poll() is None, log.read_text()[-4000:]
            assert "Traceback" not in log.read_text(), log.read_text()[-4000:]
            time.sleep(0.2)
        assert not missing, (missing, log.read_text()[-4000:])
    finally:
        worker.terminate()
        worker.wait(60)


def wanted_after(site, before, wanted):
    """Return {engine: requests that are not answered yet}."""
    return Counter(wanted) - (Counter(dict(site.execute(COUNT))) - before)
