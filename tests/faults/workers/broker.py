"""A Redis that can be killed and started again on its port."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from pathlib import Path

from tests import services


class Broker:
    """Redis without persistence."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, services.free_port()
        self._server: subprocess.Popen | None = None
        self.start()

    @property
    def url(self) -> str:
        """Where it is, without a proxy."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, empty."""
        binary = services.require(services.find_binary("redis-server"), "redis-server")
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self._server = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + services.START_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
        raise AssertionError("Redis does not start")

    def kill(self) -> None:
        """kill -9 it; its messages are lost."""
        self._server.kill()
        self._server.wait()

    def limit_memory(self, n_bytes: int) -> None:
        """Refuse everything that would need more; 0 = no limit."""
        import redis

        with redis.Redis(port=self.port) as client:
            client.config_set("maxmemory", n_bytes)
