"""Starts the site: databases behind proxies, filled once, and gunicorn as often as a test needs it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from tests import services
from tests.faults.proxy import FORWARD, Proxy

ROOT = Path(__file__).resolve().parents[2]
PATH = "/api/recommendations/books/?limit=3"
WATCHDOG_SECONDS = 60


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: dict
    seconds: float


@dataclass(frozen=True)
class Site:
    """A filled site whose database and cache can be made to fail.

    Attributes:
        database, cache: the proxies that the site's processes connect to.
        superuser: URL of the database itself, for the tests.
        environment: of the site's processes.
        logins: {how to log in: HTTP headers}.
        engines: of the live release.
    """

    database: Proxy
    cache: Proxy
    superuser: str
    folder: Path
    environment: dict[str, str]
    logins: dict[str, dict[str, str]]
    engines: list[str]

    def execute(self, sql: str) -> list:
        """Run SQL past the proxy, as superuser."""
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def kill_connections(self) -> None:
        """Have PostgreSQL end every connection of the site, as a restart or a failover does."""
        self.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'site'")


@dataclass(frozen=True)
class Server:
    """A running gunicorn."""

    port: int
    process: subprocess.Popen
    log: Path
    logins: dict[str, dict[str, str]]

    def get(self, login: str = "token", path: str = PATH, **headers: str) -> Reply:
        """Return the answer to one request; JSON, whatever happens."""
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WATCHDOG_SECONDS)
        with contextlib.closing(connection):
            connection.request("GET", path, headers={**self.logins[login], **headers})
            response = connection.getresponse()
            assert response.getheader("Content-Type") == "application/json", self.log.read_text()[-6000:]
            body = json.loads(response.read())
        return Reply(response.status, dict(response.getheaders()), body, time.monotonic() - started)

    def renew_worker(self) -> None:
        """Kill the one worker and wait for the next, which knows nothing of what was broken before."""
        os.kill(int(self._workers()[-1]), signal.SIGKILL)
        n_before, until = len(self._workers()), time.monotonic() + WATCHDOG_SECONDS
        while len(self._workers()) == n_before:
            assert time.monotonic() < until, self.log.read_text()[-4000:]
            time.sleep(0.05)

    def _workers(self) -> list[str]:
        return re.findall(r"Booting worker with pid: (\d+)", self.log.read_text())

    def wait_for_engine(self, engine: str) -> None:
        """Wait until an engine answers (again)."""
        until = time.monotonic() + WATCHDOG_SECONDS
        while time.monotonic() < until:
            reply = self.get()
            if (reply.status, reply.body.get("engine")) == (200, engine):
                return
            time.sleep(0.2)
        pytest.fail(f"{engine} does not answer: {reply}\n{self.log.read_text()[-4000:]}")


@contextlib.contextmanager
def filled_site(*fill: str) -> Iterator[Site]:
    """Start PostgreSQL and Redis behind proxies and fill the site (``fill``: arguments of its script)."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True)))
        maintenance = stack.enter_context(services.running_postgres())
        redis = stack.enter_context(services.running_redis())
        database, cache = (Proxy(int(url.rsplit(":", 1)[1].split("/")[0])) for url in (maintenance, redis))
        stack.callback(database.close)
        stack.callback(cache.close)
        with psycopg.connect(maintenance, autocommit=True) as connection:
            connection.execute("CREATE ROLE site LOGIN")
            connection.execute("CREATE DATABASE site OWNER site")
        environment = environment_of(folder, database, cache)
        command = [sys.executable, "-m", "tests.faults.site.fill", *fill]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr[-4000:]
        printed = json.loads(done.stdout.splitlines()[-1])
        yield Site(database, cache, maintenance.replace("/postgres", "/site"), folder, environment, **printed)


def environment_of(folder: Path, database: Proxy, cache: Proxy) -> dict[str, str]:
    """Return the environment of the site's processes."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.faults.site.settings",
        "DEBUG": "false",
        "SECRET_KEY": "only for these tests " * 3,
        "DATABASE_URL": f"postgres://site@127.0.0.1:{database.port}/site",
        "DATABASE_STATEMENT_TIMEOUT_MS": "300",
        "CACHE_URL": f"redis://127.0.0.1:{cache.port}/0",
        "CELERY_BROKER_URL": f"redis://127.0.0.1:{cache.port}/1",
        "FAULTS_ARTIFACTS": str(folder / "artifacts"),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


@contextlib.contextmanager
def gunicorn(site: Site, *options: str, application: str = "backend.wsgi", **environment: str) -> Iterator[Server]:
    """Serve the site with one worker of four threads, or as ``options`` say."""
    port, log = services.free_port(), site.folder / f"gunicorn-{time.monotonic_ns()}.log"
    options = options or ("--workers", "1", "--worker-class", "gthread", "--threads", "4")
    command = [sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *options], cwd=ROOT, env={**site.environment, **environment}, stdout=output, stderr=output
        )
    try:
        _wait_for_port(port, process, log)
        yield Server(port, process, log, site.logins)
    finally:
        for proxy in (site.database, site.cache):
            if proxy.mode != FORWARD:
                proxy.behave(FORWARD)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_port(port: int, process: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + WATCHDOG_SECONDS
    while time.monotonic() < until and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WATCHDOG_SECONDS)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.request("GET", "/no-such-page/")
            connection.getresponse().read()
            return
        time.sleep(0.1)
    pytest.fail(f"gunicorn does not answer:\n{log.read_text()[-4000:]}")
