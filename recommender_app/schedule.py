"""When trainings are due, and what a host's Celery settings say about it. Needs neither Django nor Celery.

```python
CELERY_BEAT_SCHEDULE = beat_schedule()
CELERY_TASK_ROUTES = task_routes()
```
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

QUEUE = "recommender"
TRAINING_QUEUE = "recommender_training"

# Names that messages in a queue hold: never to change.
DISPATCH = "recommender.dispatch"
TRAIN = "recommender.train"
WATCHDOG = "recommender.watchdog"
JANITOR = "recommender.janitor"
SYNC = "recommender.sync"  # not in the schedule: every host needs it, each by a queue of its own or by cron

DRAIN_SPOOL = "recommender.drain_spool"  # of the host that the worker runs on; others need a queue of their own or cron
TRIM_LOG = "recommender.trim_log"
ROLL_UP = "recommender.roll_up"
RAMP = "recommender.ramp_experiments"
LOOK = "recommender.look_at_experiments"

DISPATCH_SECONDS = 60.0
JANITOR_SECONDS = 3600.0
DRAIN_SECONDS = 60.0
TRIM_SECONDS = 3600.0
ROLL_UP_SECONDS = 3600.0
RAMP_SECONDS = 3600.0
LOOK_SECONDS = 3600.0

# A slot is named after the UTC day, week or month that it stands for: clocks that are set do not repeat it.
PERIODS: dict[str, Callable[[datetime], str]] = {
    "hourly": lambda moment: f"{moment:%Y-%m-%dT%H}",
    "daily": lambda moment: f"{moment:%Y-%m-%d}",
    "weekly": lambda moment: f"{moment:%G-W%V}",
    "monthly": lambda moment: f"{moment:%Y-%m}",
}


def slot_of(period: str, moment: datetime) -> str:
    """Return the name of the slot that a moment lies in: ``2026-11-24``, ``2026-W48``, ``2026-11``.

    Args:
        period: one of PERIODS.
        moment: aware, in any time zone.
    """
    return PERIODS[period](moment.astimezone(UTC))


def beat_schedule(*, dispatch_seconds: float = DISPATCH_SECONDS) -> dict[str, dict[str, Any]]:
    """Return what Celery beat sends: the dispatcher, which finds what is due, the janitor, the log's upkeep and sums.

    The ramps of experiments go up by it, too.

    How often an engine is trained is the setting TRAINING_SCHEDULE, not this. A message that no
    worker has taken by the time of the next one expires.
    """
    return {
        DISPATCH: _every(DISPATCH, dispatch_seconds),
        JANITOR: _every(JANITOR, JANITOR_SECONDS),
        DRAIN_SPOOL: _every(DRAIN_SPOOL, DRAIN_SECONDS),
        TRIM_LOG: _every(TRIM_LOG, TRIM_SECONDS),
        ROLL_UP: _every(ROLL_UP, ROLL_UP_SECONDS),
        RAMP: _every(RAMP, RAMP_SECONDS),
        LOOK: _every(LOOK, LOOK_SECONDS),
    }


def task_routes() -> dict[str, dict[str, str]]:
    """Return the routes: trainings to a queue of their own, so that nothing short waits behind them."""
    return {TRAIN: {"queue": TRAINING_QUEUE}, "recommender.*": {"queue": QUEUE}}


def _every(name: str, seconds: float) -> dict[str, Any]:
    return {"task": name, "schedule": seconds, "options": {"expires": 0.9 * seconds}}
