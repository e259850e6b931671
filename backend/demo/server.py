"""A real server on a free port, started and stopped."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from django.core.management.base import CommandError

START_SECONDS = 60


@contextlib.contextmanager
def running_server() -> Iterator[str]:
    """Start gunicorn with two workers, yield its base URL, stop it."""
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", "backend.wsgi:application", "--workers", "2"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    server = subprocess.Popen(  # noqa: S603  the command is ours
        [*command, "--bind", f"127.0.0.1:{port}", "--log-level", "warning"], env=environment
    )
    try:
        base = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(base, server)
        yield base
    finally:
        server.terminate()
        server.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(base: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{base}/api/schema/", timeout=10).close()  # noqa: S310  http on loopback
            return
        time.sleep(0.2)
    raise CommandError(f"The server did not answer within {START_SECONDS} s: look at its messages above.")
