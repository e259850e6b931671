"""Days of the simulation as moments."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

BATCH = 2_000  # rows per statement
Advance = Callable[[int], Any]  # called with the number of rows just written


class Clock:
    """Day 0 of the simulation is ``n_days`` before ``end``."""

    def __init__(self, end: datetime, n_days: int) -> None:
        self.start = end - timedelta(days=n_days)

    def at(self, day: float) -> datetime:
        """Return the moment of a day, negative days before the start."""
        return self.start + timedelta(days=float(day))
