"""What commands, tasks and recommender_work do for the request log: drain the spool, roll up, delete old rows."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import DatabaseError

from recommender_app.measurement.anonymous import delete_old
from recommender_app.measurement.event_retention import trim_events
from recommender_app.measurement.readouts.watching import look_at_experiments
from recommender_app.measurement.schedule import needed_from, roll_up_due
from recommender_app.serving.log_retention import trim_log
from recommender_app.serving.spool.draining import Drained, drain
from recommender_app.usecases.site import all_use_cases

logger = logging.getLogger(__name__)

TRIM_SECONDS = 3600.0
ROLL_UP_SECONDS = 300.0  # after so many no further day is begun; the rest waits for the next hour

_trimmed_at = float("-inf")


def drain_and_tell() -> str:
    """Drain this host's spool; return what was done in one line.

    Raises:
        DatabaseError: the request log takes nothing; everything waits on.
        OSError: the spool's folder cannot be read or written.
    """
    done = drain()
    return "Another drain is at work." if done is None else _told(done)


@dataclass(frozen=True)
class Trimmed:
    """How many rows are beyond their retention: of the log, of posted events, of events before a login."""

    n_rows: int
    n_events: int
    n_anonymous: int

    def __str__(self) -> str:
        return (
            f"{self.n_rows} rows of the request log, {self.n_events} posted events "
            f"and {self.n_anonymous} events of before a login"
        )


def trim_request_log(*, days: float | None = None, dry_run: bool = False) -> Trimmed:
    """Delete rows beyond LOG_RETENTION_DAYS (or ``days``) that nobody needs any more; say how many.

    Posted events go with them after EVENT_RETENTION_DAYS, those of before a login that never came after a week.

    Args:
        dry_run: only count.
    """
    needed = needed_from(all_use_cases())
    n_anonymous = delete_old(datetime.now(UTC), dry_run=dry_run)
    n_events = trim_events(not_beyond=needed, dry_run=dry_run)
    return Trimmed(trim_log(not_beyond=needed, days=days, dry_run=dry_run), n_events, n_anonymous)


def look_after_log() -> None:
    """Drain; once an hour roll up, look at experiments and trim. For recommender_work: what fails is tried again."""
    global _trimmed_at
    try:
        drain()
        if time.monotonic() - _trimmed_at >= TRIM_SECONDS:
            _trimmed_at = time.monotonic()
            for _ in roll_up_due(all_use_cases(), seconds=ROLL_UP_SECONDS):
                pass
            for _ in look_at_experiments():
                pass
            trim_request_log()
    except (DatabaseError, OSError) as error:
        logger.error("The request log is not looked after: %s", error)  # noqa: TRY400  the line says it all


def _told(done: Drained) -> str:
    if not done.n_files:
        return "Nothing waits in the spool."
    known = f", {done.n_known} were there already" * bool(done.n_known)
    rejected = f", {done.n_rejected} lines are set aside: no row can be made of them" * bool(done.n_rejected)
    return f"{done.n_added} rows are added to the request log{known}{rejected}."
