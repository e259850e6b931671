"""A circuit breaker: what keeps failing is left alone for a while, then tried once."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

CLOSED = "closed"  # in use
OPEN = "open"  # left alone
TRIAL = "trial"  # one call is finding out


class CircuitBreaker:
    """Opens after ``n_errors`` within ``window_seconds``; safe to share between threads.

    Args:
        open_seconds: how long it stays open before one trial is let through. A trial that fails
            opens it for as long again; one that never reports is replaced after the same time.
        clock: monotonic seconds.
    """

    def __init__(
        self, n_errors: int, window_seconds: float, open_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._window_seconds = window_seconds
        self._open_seconds = open_seconds
        self._clock = clock
        self._errors: deque[float] = deque(maxlen=n_errors)  # when they happened
        self._opened_at: float | None = None
        self._is_trial = False
        self._lock = threading.Lock()

    @property
    def state(self) -> str:
        """CLOSED, OPEN or TRIAL."""
        if self._opened_at is None:
            return CLOSED
        return TRIAL if self._is_trial else OPEN

    def allows(self) -> bool:
        """Return whether a call may be made now; of those who ask an open breaker in time, one may."""
        if self._opened_at is None:  # the usual case costs no lock
            return True
        with self._lock:
            if self._opened_at is None:
                return True
            now = self._clock()
            if now - self._opened_at < self._open_seconds:
                return False
            self._opened_at, self._is_trial = now, True
            return True

    def succeeded(self) -> bool:
        """Take note of a call that worked; return whether this closed the breaker."""
        if self._opened_at is None:
            return False
        with self._lock:
            if not self._is_trial:  # a call from before it opened
                return False
            self._errors.clear()
            self._opened_at, self._is_trial = None, False
            return True

    def released(self) -> None:
        """Take note of a call that found nothing out; after a trial, the next call may try."""
        with self._lock:
            if self._is_trial:
                self._opened_at, self._is_trial = self._clock() - self._open_seconds, False

    def failed(self) -> bool:
        """Take note of a call that failed; return whether this opened the breaker (again, after a trial: no)."""
        with self._lock:
            now = self._clock()
            if self._opened_at is not None:
                if self._is_trial:
                    self._opened_at, self._is_trial = now, False
                return False
            self._errors.append(now)
            is_full = len(self._errors) == self._errors.maxlen
            if not is_full or now - self._errors[0] > self._window_seconds:
                return False
            self._opened_at = now
            return True
