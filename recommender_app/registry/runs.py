"""Training runs: one at a time per engine of a use case, held by a lease."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django.db.models import Max
from django.utils import timezone

from recommender_app.exceptions import RegistryError
from recommender_app.models import TrainingRun
from recommender_app.registry.database import atomic

LEASE_SECONDS = 300  # how long a run lives without a sign of life
LEASE_EXPIRED = "Its process gave no sign of life any more."


def start_run(
    use_case_key: str, engine: str, *, config: Mapping[str, Any], seed: int, requested_by: str
) -> TrainingRun:
    """Insert a RUNNING run; the unique constraint on running runs is the lock.

    A running run past its lease is failed first: its token is older, so that it can no longer
    register a version, should it wake up after all.

    Raises:
        RegistryError: the engine is being trained, and the lease of that run holds.
    """
    now = timezone.now()
    try:
        with atomic():
            fail_expired_runs(now, use_case=use_case_key, engine=engine)
            return TrainingRun.objects.create(
                use_case=use_case_key,
                engine=engine,
                status=TrainingRun.Status.RUNNING,
                requested_by=requested_by,
                config=dict(config),
                seed=seed,
                started_at=now,
                lease_until=now + timedelta(seconds=LEASE_SECONDS),
                token=_next_token(use_case_key, engine),
            )
    except IntegrityError:
        raise RegistryError(_already_running(use_case_key, engine)) from None


def renew_lease(run: TrainingRun) -> bool:
    """Give a sign of life; False if the run is no longer the one that may finish."""
    until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
    return bool(still_running(run).update(lease_until=until))


def record_dataset(run: TrainingRun, fingerprint: str) -> None:
    """Note what a run learns from."""
    run.dataset_fingerprint = fingerprint
    still_running(run).update(dataset_fingerprint=fingerprint)


def finish_run(run: TrainingRun, status: str, reason: str = "") -> bool:
    """End a run; False if it was taken over: its row then tells how it ended already."""
    reason = " ".join(reason.split())
    is_ours = still_running(run).update(status=status, reason=reason, finished_at=timezone.now(), lease_until=None)
    run.refresh_from_db()
    return bool(is_ours)


def still_running(run: TrainingRun) -> Any:
    """Return the queryset of the run's row, empty once the run has ended or was taken over."""
    return TrainingRun.objects.filter(pk=run.pk, token=run.token, status=TrainingRun.Status.RUNNING)


def fail_expired_runs(now: datetime, **of: str) -> int:
    """Fail the running runs past their lease, of one engine or of all; return how many."""
    expired = TrainingRun.objects.filter(status=TrainingRun.Status.RUNNING, lease_until__lt=now, **of)
    return expired.update(status=TrainingRun.Status.FAILED, reason=LEASE_EXPIRED, finished_at=now, lease_until=None)


def _next_token(use_case_key: str, engine: str) -> int:
    runs = TrainingRun.objects.filter(use_case=use_case_key, engine=engine)
    return (runs.aggregate(token=Max("token"))["token"] or 0) + 1


def _already_running(use_case_key: str, engine: str) -> str:
    running = TrainingRun.objects.filter(use_case=use_case_key, engine=engine, status=TrainingRun.Status.RUNNING)
    run = running.first()
    if run is None:  # it has ended in between
        return f"{engine} of {use_case_key} was being trained by somebody else: try again."
    return (
        f"{engine} of {use_case_key} is being trained already: run {run.pk} of {run.requested_by or 'somebody'}, "
        f"started {run.started_at:%Y-%m-%d %H:%M} UTC. Wait until it ends; if its process is dead, its lease ends "
        f"at {run.lease_until:%H:%M:%S} UTC."
    )
