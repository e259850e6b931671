"""Who may finish a run: whoever holds its lease and its newest token. Times are the database's clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Max
from django.db.models.functions import Now

from recommender_app.conf import settings
from recommender_app.models import TrainingRun


def lease_end() -> Any:
    """Return the expression of a time LEASE_SECONDS from now."""
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)


def renew_lease(run: TrainingRun) -> bool:
    """Give a sign of life; False if the run is no longer the one that may finish."""
    return bool(still_running(run).update(lease_until=lease_end()))


def still_running(run: TrainingRun) -> Any:
    """Return the queryset of the run's row, empty once the run has ended or was taken over."""
    return TrainingRun.objects.filter(pk=run.pk, token=run.token, status=TrainingRun.Status.RUNNING)


def expired_runs(**of: Any) -> Any:
    """Return the queryset of running runs past their lease, of one engine or of all."""
    return TrainingRun.objects.filter(status=TrainingRun.Status.RUNNING, lease_until__lt=Now(), **of)


def next_token(use_case_key: str, engine: str) -> int:
    """Return a fencing token above all that were given out for an engine."""
    runs = TrainingRun.objects.filter(use_case=use_case_key, engine=engine)
    return (runs.aggregate(token=Max("token"))["token"] or 0) + 1
