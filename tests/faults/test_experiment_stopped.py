"""The end of an experiment reaches every gunicorn worker: whoever asks RELOAD_SECONDS later is in no arm."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import services
from tests.faults.releasing.asking import asked
from tests.faults.releasing.processes import Site

RELOAD_SECONDS = 1.0
N_WORKERS = 3
PATIENCE_SECONDS = 60.0  # of the test, until every worker of a busy machine has got a request
PATH = "/api/recommendations/books/?limit=3"


class Clients:
    """Some that ask at the same time, so that every worker gets its turn."""

    def __init__(self, port, token, pool):
        self.port, self.token, self.pool = port, token, pool

    def ask(self, _number):
        """Return what one answer said: (process, engine, request id)."""
        status, process, body = asked(self.port, self.token, PATH)
        assert status == 200, body
        return process, body["engine"], body["request_id"]

    def ask_all(self):
        """Ask until every worker has answered; return all answers."""
        answers, until = [], time.monotonic() + PATIENCE_SECONDS
        while len({process for process, *_ in answers}) < N_WORKERS:
            assert time.monotonic() < until, answers
            answers += self.pool.map(self.ask, range(2 * N_WORKERS))
        return answers


def told(answers, registry):
    """Return what answers said of themselves and the log of them: {(engine, arm)}."""
    arms = registry.do("arms", *[request_id for *_, request_id in answers])
    return {(engine, arms[request_id]) for _, engine, request_id in answers}


@pytest.mark.services
@pytest.mark.slow
def test_what_is_stopped_or_concluded_serves_in_no_gunicorn_worker_after_reload_seconds(tmp_path, postgres_database):
    site, port = Site(tmp_path, postgres_database, RELOAD_SECONDS), services.free_port()
    with site.registry() as registry, ThreadPoolExecutor(2 * N_WORKERS) as pool:
        token = registry.do("fill")["token"]
        registry.do("promote", 1)
        registry.do("begin")
        workers = ["--workers", str(N_WORKERS), "--worker-class", "sync"]
        with site.gunicorn(port, *workers):
            clients = Clients(port, token, pool)
            found = {"begin": told(clients.ask_all(), registry)}
            for move in ("stop", "begin_again", "conclude"):
                registry.do(move)
                time.sleep(RELOAD_SECONDS)
                found[move] = told(clients.ask_all(), registry)
    in_arm_b, in_none = {("newest", "b")}, {("popular", None)}
    as_arm_b_was = {("newest", None)}
    assert found == {"begin": in_arm_b, "stop": in_none, "begin_again": in_arm_b, "conclude": as_arm_b_was}
