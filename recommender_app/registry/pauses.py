"""How long a run rests that was given back because something is not possible just now; the next attempt comes later.

While it rests, ``finished_at`` of the run says when its attempt ended, ``lease_until`` until when it
rests: where a message is on its way instead, no attempt has ended. Times are the database's clock.
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
    """Return what is true of waiting runs that rest."""
    return Q(finished_at__isnull=False, lease_until__gt=Now())
