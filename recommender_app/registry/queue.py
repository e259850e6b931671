"""Which requested runs may be begun, and which have a message on its way to a training worker.

Messages get lost: brokers restart, old workers do not know a task. So a run's message is trusted
for QUEUE_SECONDS only; while it waits, ``lease_until`` of the run says until when.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.db.models.functions import Now

from recommender_app.conf import settings
from recommender_app.models import TrainingRun
from recommender_app.registry.pauses import resting
from recommender_app.registry.runs import requested_runs


def due_runs() -> Any:
    """Return the queryset of requested runs that do not rest, whatever is on its way, oldest first."""
    return requested_runs().exclude(resting())


def unsent_runs() -> Any:
    """Return the queryset of requested runs that neither rest nor have a message that is trusted, oldest first."""
    return requested_runs().filter(Q(lease_until=None) | Q(lease_until__lt=Now()))


def mark_sent(run: TrainingRun) -> bool:
    """Note that a message is about to be sent; False if somebody else does, or the run waits no more."""
    until = Now() + timedelta(seconds=settings.QUEUE_SECONDS)
    return bool(unsent_runs().filter(pk=run.pk).update(lease_until=until, finished_at=None))


def unmark_sent(run: TrainingRun) -> None:
    """Note that the message could not be sent."""
    requested_runs().filter(pk=run.pk).update(lease_until=None)
