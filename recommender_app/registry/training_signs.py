"""Whether anybody trains: what waits, and when a training worker gave its last sign of life.

A worker that lost its broker, or was never started, raises no error anywhere: only what waits
tells. Everything is read from the runs' rows, on the database's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q

from recommender_app.conf import settings
from recommender_app.models import TrainingRun
from recommender_app.registry.database import current_time
from recommender_app.registry.pauses import resting
from recommender_app.registry.runs import LEASE_EXPIRED

REQUESTED, RUNNING = TrainingRun.Status.REQUESTED, TrainingRun.Status.RUNNING
PERIOD_DAYS = {"hourly": 1 / 24, "daily": 1, "weekly": 7, "monthly": 31}


@dataclass(frozen=True)
class TrainingSigns:
    """The state of trainings, of all use cases.

    Attributes:
        n_waiting: runs that nobody has begun, or that wait for another attempt.
        waiting_since: when the oldest of them was asked for.
        last_seen_at: when a training process last gave a sign of life; None = never.
        problems: one line each.
    """

    n_waiting: int
    waiting_since: datetime | None
    last_seen_at: datetime | None
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        moments = {"waiting_since": self.waiting_since, "last_seen_at": self.last_seen_at}
        return {"n_waiting": self.n_waiting} | {name: at and at.isoformat() for name, at in moments.items()}


def training_signs() -> TrainingSigns:
    """Look at the runs; a few short queries."""
    now, waiting = current_time(), TrainingRun.objects.filter(status=REQUESTED).order_by("requested_at", "pk")
    oldest, last_seen = waiting.first(), _last_seen()
    longest_due = waiting.exclude(resting()).first() if oldest else None
    problems = [*_waits_too_long(longest_due, last_seen, now), *_clock_stopped(now)]
    since = oldest.requested_at if oldest else None
    return TrainingSigns(waiting.count() if oldest else 0, since, last_seen, tuple(problems))


def _last_seen() -> datetime | None:
    """Return the newest beginning, end or renewed lease of a run that somebody asked for.

    Neither a command at a keyboard nor the watchdog, who ends the runs of the dead, is a worker.
    """
    found = TrainingRun.objects.filter(requested_at__isnull=False).aggregate(
        began=Max("started_at"),
        ended=Max("finished_at", filter=~Q(started_at=None) & ~Q(reason=LEASE_EXPIRED)),
        lease=Max("lease_until", filter=Q(status=RUNNING)),
    )
    if found["lease"] is not None:
        found["lease"] -= timedelta(seconds=settings.LEASE_SECONDS)
    return max((at for at in found.values() if at is not None), default=None)


def _waits_too_long(run: TrainingRun | None, last_seen: datetime | None, now: datetime) -> list[str]:
    """Tell of a run that waits though no worker shows itself; one that is busy is seen, and no problem."""
    allowed = timedelta(seconds=settings.WAITING_ALERT_SECONDS)
    if run is None or run.requested_at is None or now - run.requested_at <= allowed:
        return []
    if last_seen is not None and now - last_seen <= allowed:
        return []
    seen = f"none was seen since {last_seen:%Y-%m-%d %H:%M} UTC" if last_seen else "none was ever seen"
    return [
        f"run {run.pk} of {run.use_case} {run.engine} has waited for a training worker since "
        f"{run.requested_at:%Y-%m-%d %H:%M} UTC, and {seen}: start one, or restart it"
    ]


def _clock_stopped(now: datetime) -> list[str]:
    """Tell where what is trained by the clock was not asked for in two periods; nothing where it never was."""
    days = min((PERIOD_DAYS[period] for period in settings.TRAINING_SCHEDULE.values()), default=None)
    newest = TrainingRun.objects.exclude(slot="").aggregate(at=Max("requested_at"))["at"]
    if days is None or newest is None or now - newest <= timedelta(days=2 * days):
        return []
    return [f"no training was scheduled since {newest:%Y-%m-%d %H:%M} UTC: start Celery beat or recommender_work"]
