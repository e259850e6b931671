"""What a process keeps of the database, read again now and then: at most every RELOAD_SECONDS, by one thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from recommender_app import conf

LONGEST_WAIT = 0.2  # seconds for another thread's reading: enough for a database that answers


class Rereading:
    """When to read again; safe to share between threads.

    Args:
        read: reads and keeps what it found; what the database cannot say is its own affair.
    """

    def __init__(self, read: Callable[[], None]) -> None:
        self._read = read
        self._read_at: float | None = None  # monotonic seconds; None = never
        self._lock = threading.Lock()

    def when_due(self) -> None:
        """Read if that is due; while one thread reads, the others wait: what an idle process read may be hours old.

        They wait for LONGEST_WAIT at most, then go on with what was read before, if anything was.
        """
        if self._is_due() and self._lock.acquire(timeout=self._patience()):
            try:
                if self._is_due():
                    started = time.monotonic()
                    self._read()
                    self._read_at = started
            finally:
                self._lock.release()

    def _patience(self) -> float:
        """Return how long to wait for another thread: for ever (-1) where nothing was read, not at all if all read."""
        if self._read_at is None:
            return -1
        return LONGEST_WAIT if conf.settings.RELOAD_SECONDS else 0

    def _is_due(self) -> bool:
        return self._read_at is None or time.monotonic() - self._read_at >= conf.settings.RELOAD_SECONDS
