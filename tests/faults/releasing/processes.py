"""Starts a site of real processes on a private PostgreSQL: gunicorn, a Celery worker, and a hand that promotes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 60


class Site:
    """Processes that share a database and artifacts.

    Attributes:
        folder: of this site alone.
        environment: of its processes.
    """

    def __init__(self, folder: Path, database_url: str, reload_seconds: float, broker_url: str = "") -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.faults.releasing.settings",
            "DATABASE_URL": database_url,
            "ARTIFACT_ROOT": str(folder / "artifacts"),
            "RELOAD_SECONDS": str(reload_seconds),
            "RELEASING_BROKER_URL": broker_url,
            "RELEASING_QUEUE": f"releasing-{uuid.uuid4().hex}",
            "PYTHONPATH": str(ROOT),
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }

    @contextlib.contextmanager
    def registry(self) -> Iterator[Registry]:
        """Start the hand that promotes."""
        command = [sys.executable, "-m", "tests.faults.releasing.registry"]
        with self._running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            yield Registry(process, self.log)

    @contextlib.contextmanager
    def gunicorn(self, port: int, *options: str) -> Iterator[subprocess.Popen]:
        """Start gunicorn with the project's example configuration; yield when it listens."""
        config = ["--config", str(ROOT / "gunicorn.conf.py"), "--bind", f"127.0.0.1:{port}"]
        command = [sys.executable, "-m", "gunicorn", *config, *options, "tests.faults.releasing.wsgi"]
        with self._running(command) as process:
            _wait_for_port(port, process, self.log)
            yield process

    @contextlib.contextmanager
    def celery(self, n_children: int) -> Iterator[subprocess.Popen]:
        """Start a Celery worker with a pool of forked children, on a queue that nobody else has."""
        pool = ["--pool", "prefork", "--concurrency", str(n_children), "--loglevel", "WARNING"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        command = [sys.executable, "-m", "celery", "-A", "tests.faults.releasing.worker", "worker", *pool, *quiet]
        with self._running(command) as process:
            yield process

    def manage(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run a management command to its end."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120
        )

    @property
    def log(self) -> Path:
        """What the processes wrote."""
        return self.folder / "log.txt"

    @contextlib.contextmanager
    def _running(self, command: list[str], **pipes: Any) -> Iterator[subprocess.Popen]:
        with self.log.open("ab") as log:
            streams = {"stdout": log, "stderr": log, **pipes}
            process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, start_new_session=True, **streams
            )
            try:
                yield process
            finally:
                _stop(process)


class Registry:
    """Says what the hand that promotes is to do."""

    def __init__(self, process: subprocess.Popen, log: Path) -> None:
        self.process, self.log = process, log

    def do(self, *words: Any) -> dict[str, Any]:
        """Send one command and return its answer."""
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        told = self.process.stdout.readline()
        assert told, self.log.read_text()[-3000:]
        return json.loads(told)


def _wait_for_port(port: int, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError(f"gunicorn does not listen: {log.read_text()[-3000:]}")


def _stop(process: subprocess.Popen) -> None:
    """End the process and its children, which are a session of their own."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
