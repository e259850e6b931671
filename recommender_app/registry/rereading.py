"""What a process keeps of the database, read again now and then: at most every RELOAD_SECONDS, by one thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from recommender_app import conf


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
        """Read if that is due; while one thread reads, others go on with what was read before, if anything was."""
        if self._is_due() and self._lock.acquire(blocking=self._read_at is None):
            try:
                if self._is_due():
                    started = time.monotonic()
                    self._read()
                    self._read_at = started
            finally:
                self._lock.release()

    def _is_due(self) -> bool:
        return self._read_at is None or time.monotonic() - self._read_at >= conf.settings.RELOAD_SECONDS
