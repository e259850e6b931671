"""Private PostgreSQL and Redis servers on free ports, from the installed binaries."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

START_SECONDS = 30


def find_binary(name: str, *patterns: str) -> Path | None:
    """Return an executable from the newest matching folder, else from PATH."""
    for pattern in patterns:
        found = sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)
        if found:
            return found[0]
    on_path = shutil.which(name)
    return Path(on_path) if on_path else None


def require(binary: Path | None, package: str) -> Path:
    """Return the binary; skip without it, or fail where CI promises that it is there."""
    if binary is None:
        reason = f"{package} is not installed: apt-get install {package}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return binary


def free_port() -> int:
    """Return a TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running_postgres(*, is_durable: bool = False) -> Iterator[str]:
    """Start PostgreSQL, yield ``postgres://...`` of its maintenance database, stop it.

    Args:
        is_durable: whether a commit waits for the disk, as on a real site.
    """
    postgres = require(find_binary("postgres", "/usr/lib/postgresql/*/bin/postgres"), "postgresql")
    owner = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        if owner:
            shutil.chown(folder, owner)
        data = Path(folder) / "data"
        as_owner = {"user": owner} if owner else {}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        initdb = [postgres.parent / "initdb", "-D", data, "-U", "tester", "--auth=trust", "-E", "UTF8", "-N"]
        subprocess.run(initdb, check=True, **quiet, **as_owner)
        options = ["-p", str(port), "-h", "127.0.0.1", "-k", folder, "-c", f"fsync={'on' if is_durable else 'off'}"]
        server = subprocess.Popen([postgres, "-D", data, *options], **quiet, **as_owner)
        try:
            _wait_for_postgres(port)
            yield f"postgres://tester@127.0.0.1:{port}/postgres"
        finally:
            _stop(server)


@contextlib.contextmanager
def running_redis() -> Iterator[str]:
    """Start Redis without persistence, yield ``redis://...``, stop it."""
    redis = require(find_binary("redis-server"), "redis-server")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="redis-", ignore_cleanup_errors=True) as folder:
        command = [redis, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait_for_port(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            _stop(server)


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail(f"Nothing listens on port {port} after {START_SECONDS} s.")


def _wait_for_postgres(port: int) -> None:
    import psycopg

    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host="127.0.0.1", port=port, user="tester", dbname="postgres", connect_timeout=2).close()
            return
        time.sleep(0.05)
    pytest.fail(f"PostgreSQL does not answer on port {port} after {START_SECONDS} s.")


def _stop(server: subprocess.Popen) -> None:
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
