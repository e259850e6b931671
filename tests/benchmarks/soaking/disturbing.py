"""What happens to the site meanwhile, and when."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from tests.benchmarks.site.server import Site
from tests.benchmarks.soaking.processes import Gunicorn, Redis

SETTLING_SECONDS = 10.0  # a fault's window: from its beginning until so long after its end


@dataclass(frozen=True)
class Disturbance:
    """Something that is done every so many seconds."""

    name: str
    every_seconds: float
    do: Callable[[], None]


class Disturber:
    """Does each disturbance in its own rhythm, in one thread; ``windows`` says when and what."""

    def __init__(self, disturbances: list[Disturbance]) -> None:
        self.windows: list[tuple[float, float, str]] = []
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(disturbances,))

    def __enter__(self) -> Disturber:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def is_inside(self, begun: float, ended: float) -> bool:
        """Tell whether a request met a window."""
        return any(begin <= ended and begun <= end for begin, end, _ in self.windows)

    def _run(self, disturbances: list[Disturbance]) -> None:
        start = time.monotonic()
        due = {each.name: start + each.every_seconds for each in disturbances}
        while not self._stop.wait(0.2):
            for each in disturbances:
                if time.monotonic() >= due[each.name]:
                    self._disturb(each)
                    due[each.name] = time.monotonic() + each.every_seconds

    def _disturb(self, disturbance: Disturbance) -> None:
        begin = time.monotonic()
        try:
            disturbance.do()
        except (OSError, subprocess.CalledProcessError, psycopg.Error) as error:
            self.failures.append(f"{disturbance.name}: {error}")
        self.windows.append((begin, time.monotonic() + SETTLING_SECONDS, disturbance.name))


def disturbances(site: Site, gunicorn: Gunicorn, redis: Redis, minutes: float) -> list[Disturbance]:
    """Return the soak's disturbances; in a short trial they come faster."""
    shrunk = min(1.0, minutes / 5)
    return [
        Disturbance("swap", 30 * shrunk, lambda: _swap(site)),
        Disturbance("worker killed", 60 * shrunk, gunicorn.kill_youngest),
        Disturbance("database connections ended", 120 * shrunk, lambda: _end_connections(site)),
        Disturbance("Redis restarted", 300 * shrunk, redis.restart),
    ]


def _swap(site: Site) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.site.promoting", "publish"]
    subprocess.run(command, env=site.environment, check=True, capture_output=True)


def _end_connections(site: Site) -> None:
    with psycopg.connect(site.environment["BENCH_DATABASE"], autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
