"""The processes of the soaked site that can be killed: gunicorn's workers and Redis."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests import services
from tests.benchmarks.site.server import ROOT, Site

WORKERS = 3
START_SECONDS = 60


class Redis:
    """A Redis without persistence that can be restarted on its port."""

    def __init__(self) -> None:
        self._binary = services.require(services.find_binary("redis-server"), "redis-server")
        self._port = services.free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="redis-")
        self._start()

    @property
    def url(self) -> str:
        """URL of the database that the site uses."""
        return f"redis://127.0.0.1:{self._port}/0"

    def restart(self) -> None:
        """Kill it, leave it dead for two seconds, start it empty."""
        self.stop()
        time.sleep(2)
        self._start()

    def stop(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()

    def _start(self) -> None:
        command = [self._binary, "--port", str(self._port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(
            [*command, "--dir", self._folder.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


class Gunicorn:
    """A running gunicorn; its oldest worker is the witness, which is watched and never killed."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port

    def workers(self) -> list[int]:
        """Return the process ids of the workers, the oldest first."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return sorted(map(int, children))

    def kill_youngest(self) -> None:
        """Kill a worker that is not the witness; gunicorn starts another."""
        workers = self.workers()
        if len(workers) > 1:
            os.kill(workers[-1], signal.SIGKILL)


@contextlib.contextmanager
def running_redis() -> Iterator[Redis]:
    """Start Redis, stop whichever runs at the end."""
    redis = Redis()
    try:
        yield redis
    finally:
        redis.stop()


@contextlib.contextmanager
def running_gunicorn(site: Site) -> Iterator[Gunicorn]:
    """Serve the site; what it logs goes to this process's standard error."""
    port = services.free_port()
    command = [sys.executable, "-m", "gunicorn", "backend.wsgi", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    command += ["--workers", str(WORKERS), "--threads", "2", "--worker-class", "gthread", "--log-level", "critical"]
    process = subprocess.Popen(command, cwd=ROOT, env=site.environment)
    try:
        found = Gunicorn(process, port)
        until = time.monotonic() + START_SECONDS
        while len(found.workers()) < WORKERS and time.monotonic() < until:
            time.sleep(0.2)
        yield found
    finally:
        process.terminate()
        process.wait(60)
