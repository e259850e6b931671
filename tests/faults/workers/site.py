"""Starts workers, beats and the hand of the tests, on a private PostgreSQL and Redis."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests import services

ROOT = Path(__file__).resolve().parents[3]
WATCHDOG_SECONDS = 150
SHORT = ("--queues", "recommender", "--pool", "solo")
TRAINING = ("--queues", "recommender_training", "--concurrency", "2", "--max-tasks-per-child", "1")
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "INFO")


class Site:
    """Processes that share a database, a broker and artifacts.

    Attributes:
        environment: of its processes.
        hand: what asks and looks in the name of the tests.
    """

    def __init__(self, folder: Path, database_url: str, broker_url: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.faults.workers.settings",
            "DATABASE_URL": database_url,
            "CELERY_BROKER_URL": broker_url,
            "ARTIFACT_ROOT": str(folder / "artifacts"),
            "JOURNAL": str(folder),
            "CELERY_SOFT_SHUTDOWN_SECONDS": "1",
            "CELERY_WORKER_POOL_START_METHOD": "spawn",
            "REMAP_SIGTERM": "SIGQUIT",
            "PYTHONPATH": str(ROOT),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }

    @property
    def log(self) -> Path:
        """What the processes wrote."""
        return self.folder / "log.txt"

    def trained_by(self) -> list[int]:
        """Return the processes that began to train, in order."""
        journal = self.folder / "journal"
        return [int(line) for line in journal.read_text().splitlines()] if journal.exists() else []

    def hold(self) -> None:
        """Let trainings wait, and start a new journal."""
        (self.folder / "go").unlink(missing_ok=True)
        (self.folder / "journal").unlink(missing_ok=True)

    def let_go(self) -> None:
        """Let trainings go on."""
        (self.folder / "go").touch()

    def wait_for(self, what: Callable[[], Any], why: str) -> Any:
        """Wait until ``what()`` is true, and return it."""
        until = time.monotonic() + WATCHDOG_SECONDS
        while time.monotonic() < until:
            found = what()
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"{why}\n{self.log.read_text()[-8000:]}")

    def wait_for_words(self, words: str) -> None:
        """Wait until a process has written something."""
        self.wait_for(lambda: words in self.log.read_text(), f"nobody says: {words}")

    def wait_for_training(self, n: int = 1) -> int:
        """Wait until the n-th process has begun to train, and return it."""
        return self.wait_for(lambda: self.trained_by()[n - 1 :], f"training {n} does not begin")[0]

    def wait_for_status(self, hand: Hand, run: int, status: str) -> dict[str, Any]:
        """Wait until a run has a status, and return its row."""
        return self.wait_for(lambda: _if_has(hand.do("run", run), status), f"run {run} does not become {status}")

    @contextlib.contextmanager
    def worker(self, *options: str, app: str = "backend", **environment: str) -> Iterator[subprocess.Popen]:
        """Start a worker; yield once it is ready."""
        name = f"w{time.monotonic_ns()}@site"
        with self.process("-A", app, "worker", "--hostname", name, *QUIET, *options, **environment) as process:
            self.wait_for_words(f"{name} ready.")
            yield process

    @contextlib.contextmanager
    def gunicorn(self) -> Iterator[int]:
        """Serve the site; yield the port."""
        port = services.free_port()
        options = ("backend.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--no-control-socket")
        with self.process(*options, module="gunicorn"):
            self.wait_for(lambda: _listens(port), "gunicorn does not listen")
            yield port

    @contextlib.contextmanager
    def beat(self, number: int, **environment: str) -> Iterator[subprocess.Popen]:
        """Start a beat with a memory of its own."""
        memory = ("--schedule", str(self.folder / f"beat-{number}"), "--pidfile", "")
        with self.process("-A", "backend", "beat", *memory, "--loglevel", "INFO", **environment) as process:
            yield process

    @contextlib.contextmanager
    def process(self, *arguments: str, module: str = "celery", **environment: str) -> Iterator[subprocess.Popen]:
        """Run a command in a session of its own, which ends with the block."""
        command = [sys.executable, "-m", module, *arguments]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**self.environment, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            kill(process)

    @contextlib.contextmanager
    def hand(self) -> Iterator[Hand]:
        """Start the hand."""
        command = [sys.executable, "-m", "tests.faults.workers.hand"]
        with self.log.open("ab") as log:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log, "text": True}
            process = subprocess.Popen(command, cwd=self.folder, env=self.environment, **pipes)
        try:
            yield Hand(process, self.log)
        finally:
            process.kill()
            process.communicate()


class Crew:
    """The training worker of the moment; tests that end it have another one started.

    Attributes:
        options, environment: of its workers.
    """

    def __init__(self, site: Site, *options: str, **environment: str) -> None:
        self.site, self.options, self.environment = site, options, environment
        self._end = contextlib.ExitStack()
        self._worker: subprocess.Popen | None = None

    def worker(self) -> subprocess.Popen:
        """Return a worker that is ready."""
        if self._worker is None or self._worker.poll() is not None:
            self.dismiss()
            self._worker = self._end.enter_context(self.site.worker(*self.options, **self.environment))
        return self._worker

    def dismiss(self) -> None:
        """Kill the worker, if there is one."""
        self._end.close()
        self._worker = None


class Hand:
    """Says what the hand is to do."""

    def __init__(self, process: subprocess.Popen, log: Path) -> None:
        self.process, self.log = process, log

    def do(self, name: str, *arguments: Any, **options: Any) -> Any:
        """Send one command and return its answer."""
        self.process.stdin.write(json.dumps([name, arguments, options]) + "\n")
        self.process.stdin.flush()
        told = self.process.stdout.readline()
        assert told, self.log.read_text()[-4000:]
        return json.loads(told)


def kill(process: subprocess.Popen) -> None:
    """kill -9 a process and its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _if_has(row: dict[str, Any], status: str) -> dict[str, Any] | None:
    return row if row["status"] == status else None
