"""How much of a request's time budget is left, and what an engine has lately cost."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

N_SAMPLES = 16
TRIAL_SECONDS = 30.0  # how long an engine that does not fit is left alone before it is measured afresh

Clock = Callable[[], float]


class Deadline:
    """The time budget of one request (setting BUDGET_MS), handed down the chain.

    Nothing is interrupted: numpy cannot be. What does not fit is not begun.

    Args:
        budget_ms: milliseconds from now.
        clock: monotonic seconds.
    """

    def __init__(self, budget_ms: float, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._ends_at = clock() + budget_ms / 1000

    def remaining_ms(self) -> float:
        """Return the milliseconds that are left, 0.0 once the budget is spent."""
        return max(0.0, (self._ends_at - self._clock()) * 1000)

    def fits(self, expected_ms: float) -> bool:
        """Return whether something that takes so long would end in time; with nothing left, nothing fits."""
        remaining = self.remaining_ms()
        return remaining > 0 and expected_ms <= remaining


class RecentCost:
    """What one engine lately cost, and whether it may be asked with the time that is left.

    The estimate is the second highest of the last 16 calls, about their 90th percentile: one slow
    moment, such as the first call of a fresh worker that reads its pages from disk, says nothing.
    Before the second call nothing is known and the engine may be asked, however little time is
    left: the request that loads a release is no reason to show something else. An engine that
    does not fit is left alone for TRIAL_SECONDS; then all that was measured is forgotten and it
    is asked again, so that two slow calls, not one old memory, keep it out.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._samples: deque[float] = deque(maxlen=N_SAMPLES)
        self._refused_since: float | None = None
        self._lock = threading.Lock()

    @property
    def expected_ms(self) -> float:
        """The estimate; 0.0 before the second call."""
        with self._lock:
            return self._estimate()

    def add(self, ms: float) -> None:
        """Take note of one call."""
        with self._lock:
            self._samples.append(ms)

    def fits(self, deadline: Deadline) -> bool:
        """Return whether the engine may be asked."""
        with self._lock:
            if self._refused_since is not None and self._clock() - self._refused_since >= TRIAL_SECONDS:
                self._samples.clear()
                self._refused_since = None
            if len(self._samples) < 2 or deadline.fits(self._estimate()):
                self._refused_since = None
                return True
            if self._refused_since is None:
                self._refused_since = self._clock()
            return False

    def _estimate(self) -> float:
        return sorted(self._samples)[-2] if len(self._samples) > 1 else 0.0
