"""Rows 17, 34 and 38 to 42: whatever becomes of the database or of a worker, every answered request is in the log."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid

import psycopg
import pytest

from recommender_app.models import RequestLog
from tests.faults.proxy import FORWARD, REFUSE
from tests.faults.servers import ROOT, gunicorn

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.xdist_group("faults")]
TABLE = RequestLog._meta.db_table
N_WORKERS, N_CLIENTS, N_KILLS = 3, 6, 6
N_ANSWERS = 5  # between two kills


@pytest.fixture(scope="module")
def server(site):
    with gunicorn(site) as running:
        yield running


@pytest.fixture
def whole(site, server):
    """The server, in good health before and after the test, with an empty spool."""
    server.wait_for_engine("als")
    for path in spool_files(site):
        path.unlink()
    yield server
    site.database.behave(FORWARD)
    server.wait_for_engine("als")
    assert "Internal Server Error" not in server.log.read_text()


def drain(site):
    """Run the command; return what it says and its exit code."""
    command = [sys.executable, "manage.py", "recommender_drain"]
    done = subprocess.run(command, cwd=ROOT, env=site.environment, capture_output=True, text=True, timeout=120)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1], done.returncode


def spool_files(site):
    return list((site.folder / "artifacts" / "spool").glob("*.spool"))


def logged(site):
    return {row[0] for row in site.execute(f"SELECT request_id FROM {TABLE}")}


def spooled(site):
    """Return the request ids that wait."""
    found = [path.read_text() for path in spool_files(site)]
    return {uuid.UUID(found_id) for text in found for found_id in re.findall(r'"request_id":"([0-9a-f-]+)"', text)}


def id_of(reply):
    assert reply.status == 200
    return uuid.UUID(reply.body["request_id"])


def test_row_34_answers_without_a_database_are_in_the_log_once_it_is_back(site, whole):
    site.database.behave(REFUSE)
    answered = {id_of(whole.get("signed")) for _ in range(5)}
    assert spooled(site) == answered
    assert drain(site)[1] == 1  # the database refuses the drain too, and nothing is lost by that
    site.database.behave(FORWARD)
    assert drain(site) == ("5 rows are added to the request log.", 0)
    assert answered <= logged(site)
    assert drain(site) == ("Nothing waits in the spool.", 0)


def test_row_38_answers_without_a_free_connection_are_in_the_log_once_there_is_one(site, whole):
    site.execute("ALTER ROLE site CONNECTION LIMIT 0")
    site.kill_connections()
    try:
        answered = {id_of(whole.get("signed")) for _ in range(5)}
        assert spooled(site) == answered
        assert drain(site)[1] == 1
    finally:
        site.execute("ALTER ROLE site CONNECTION LIMIT -1")
    assert drain(site) == ("5 rows are added to the request log.", 0)
    assert answered <= logged(site)


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        (f"ALTER TABLE {TABLE} RENAME TO elsewhere", f"ALTER TABLE elsewhere RENAME TO {TABLE}"),
        (
            f"ALTER TABLE {TABLE} ADD CONSTRAINT never CHECK (engine = 'x') NOT VALID",
            f"ALTER TABLE {TABLE} DROP CONSTRAINT never",
        ),
        (f"REVOKE INSERT ON {TABLE} FROM site", f"GRANT INSERT ON {TABLE} TO site"),
    ],
    ids=["table missing, as before migrate", "constraint violated", "not permitted"],
)
def test_row_39_42_a_table_that_refuses_costs_neither_the_answer_nor_its_row(site, whole, broken, mended):
    site.execute(broken)
    try:
        reply = whole.get()
    finally:
        site.execute(mended)
    assert reply.body["engine"] == "als"
    assert spooled(site) == {id_of(reply)}
    assert drain(site) == ("1 rows are added to the request log.", 0)
    assert id_of(reply) in logged(site)


@pytest.mark.parametrize("mode", ["SHARE", "ACCESS EXCLUSIVE"])  # as CREATE INDEX holds it, and ALTER TABLE
def test_row_39_a_table_that_is_locked_for_too_long(site, whole, mode):
    with psycopg.connect(site.superuser) as connection:
        connection.execute(f"LOCK TABLE {TABLE} IN {mode} MODE")
        reply = whole.get()
        assert spooled(site) == {id_of(reply)}  # while it is locked
    assert (reply.body["engine"], len(reply.body["results"])) == ("als", 3)
    assert drain(site) == ("1 rows are added to the request log.", 0)
    assert id_of(reply) in logged(site)


class Client(threading.Thread):
    """Asks without pause; keeps the request ids of whole answers."""

    def __init__(self, server):
        super().__init__()
        self.server, self.answered, self.is_done = server, [], threading.Event()

    def run(self):
        while not self.is_done.is_set():
            with contextlib.suppress(OSError, ValueError, AssertionError, EOFError):
                self._ask()

    def _ask(self):
        import http.client

        try:
            reply = self.server.get("token")
        except http.client.HTTPException:  # its worker was killed
            return
        if reply.status == 200:
            self.answered.append(uuid.UUID(reply.body["request_id"]))


def wait_for_answers(clients, n):
    """Wait until the clients have so many answers more."""
    n_before, until = sum(len(client.answered) for client in clients), time.monotonic() + 60
    while sum(len(client.answered) for client in clients) < n_before + n:
        assert time.monotonic() < until
        time.sleep(0.01)


def kill_newest_worker(server):
    for pid in reversed(server._workers()):
        with contextlib.suppress(ProcessLookupError):
            return os.kill(int(pid), signal.SIGKILL)
    return None


def test_row_41_workers_killed_under_load_leave_every_answered_request_in_the_log_or_the_spool(site):
    options = ("--workers", str(N_WORKERS), "--worker-class", "gthread", "--threads", "2", "--preload")
    with gunicorn(site, *options) as server:
        server.wait_for_engine("als")
        clients = [Client(server) for _ in range(N_CLIENTS)]
        for client in clients:
            client.start()
        try:
            for number in range(N_KILLS):
                if number == N_KILLS // 3:
                    site.execute(f"REVOKE INSERT ON {TABLE} FROM site")
                if number == 2 * N_KILLS // 3:
                    site.execute(f"GRANT INSERT ON {TABLE} TO site")
                wait_for_answers(clients, N_ANSWERS)
                kill_newest_worker(server)
        finally:
            site.execute(f"GRANT INSERT ON {TABLE} TO site")
            for client in clients:
                client.is_done.set()
            for client in clients:
                client.join()
    answered = {request_id for client in clients for request_id in client.answered}
    waiting = spooled(site)
    assert len(answered) >= N_KILLS * N_ANSWERS
    assert len(waiting & answered) > 0  # the spool had its part in it
    assert answered <= logged(site) | waiting
    assert drain(site)[1] == 0
    assert answered <= logged(site)
    n_rows = len(logged(site))
    assert drain(site) == ("Nothing waits in the spool.", 0)
    assert len(logged(site)) == n_rows


def test_row_40_a_drain_that_is_killed_doubles_nothing_and_loses_nothing(site, whole):
    site.execute(f"REVOKE INSERT ON {TABLE} FROM site")
    reply = whole.get()
    site.execute(f"GRANT INSERT ON {TABLE} TO site")
    folder = site.folder / "artifacts" / "spool"
    (line,) = [path.read_bytes() for path in spool_files(site)]
    ids = {id_of(reply), *grow(folder / "many.spool", line, 3000)}
    before = logged(site)
    command = [sys.executable, "manage.py", "recommender_drain"]
    process = subprocess.Popen(command, cwd=ROOT, env=site.environment)
    until = time.monotonic() + 60
    while len(logged(site)) == len(before) and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert drain(site)[1] == 0
    assert logged(site) - before == ids
    assert spool_files(site) == []


def grow(path, line, n):
    """Write n rows like that of a line; return their request ids."""
    from recommender_app.serving.spool.framing import framed, unframed

    values = {name: value for name, value in unframed(line.strip()).items() if name != "request_id"}
    ids = [uuid.uuid4() for _ in range(n)]
    path.write_bytes(b"".join(framed({**values, "request_id": each}) for each in ids))
    return ids
