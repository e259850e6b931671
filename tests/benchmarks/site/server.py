"""PostgreSQL, the loaded site and gunicorn, for benchmarks; and clients that keep their connection."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.services import free_port, running_postgres

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 120


@dataclass(frozen=True)
class Site:
    """A loaded site; ``environment`` is what its processes need."""

    environment: dict[str, str]

    def run(self, *arguments: str) -> None:
        """Run ``python ARGUMENTS`` for this site."""
        subprocess.run([sys.executable, *arguments], cwd=ROOT, env=self.environment, check=True)

    def told(self, *arguments: str) -> Any:
        """Return the JSON that ``python ARGUMENTS`` prints last."""
        command = [sys.executable, *arguments]
        printed = subprocess.run(command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE, text=True)
        return json.loads(printed.stdout.splitlines()[-1])


@contextlib.contextmanager
def loaded_site() -> Iterator[Site]:
    """Start PostgreSQL (durable commits), load everything, clean up at the end."""
    with running_postgres(is_durable=True) as database, TemporaryDirectory(prefix="bench-") as artifacts:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.site.settings",
            "BENCH_DATABASE": database,
            "BENCH_ARTIFACTS": artifacts,
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        site = Site(environment)
        site.run("-m", "tests.benchmarks.site.loading")
        yield site


@contextlib.contextmanager
def gunicorn(site: Site, workers: int = 1, threads: int = 1) -> Iterator[int]:
    """Serve the site; yield the port."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "backend.wsgi", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    command += ["--workers", str(workers), "--threads", str(threads), "--worker-class", "gthread", "--timeout", "60"]
    command += ["--keep-alive", "60", "--log-level", "error"]
    process = subprocess.Popen(command, cwd=ROOT, env=site.environment)
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


class Client:
    """One kept connection of one visitor after the other."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path: str, token: str) -> dict[str, Any]:
        """Return the JSON of a 200 answer; anything else is an error of the benchmark."""
        self.connection.request("GET", path, headers={"Authorization": f"Token {token}"})
        response = self.connection.getresponse()
        body = response.read()
        if response.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{path} answered {response.status}: {body[:300]!r}")
        return json.loads(body)


def _wait(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/plain/")
            connection.getresponse().read()
            return
        time.sleep(0.1)
    raise RuntimeError(f"Nothing answers on port {port} after {START_SECONDS} s.")
