"""How long a run rests that was given back because something is not possible just now; the next attempt comes later.

While it rests, ``lease_until`` of the run says until when. Times are the database's clock.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.db.models.functions import Now

SHORTEST_SECONDS, LONGEST_SECONDS = 60, 900
GROWTH = 10  # from one attempt to the next


def pause_seconds(attempts: int) -> int:
    """Return how long a run rests after so many attempts: a minute, then ten; a quarter of an hour at most."""
    return int(min(LONGEST_SECONDS, SHORTEST_SECONDS * GROWTH ** (max(attempts, 1) - 1)))


def pause_end(attempts: int) -> Any:
    """Return the expression of the time until which a run rests."""
    return Now() + timedelta(seconds=pause_seconds(attempts))


def resting() -> Q:
    """Return what is true of waiting runs that rest; one that nobody has tried yet waits for its message only."""
    latest = Now() + timedelta(seconds=LONGEST_SECONDS)
    return Q(attempts__gt=0, lease_until__gt=Now(), lease_until__lte=latest)
