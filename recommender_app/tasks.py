"""Celery's door; workers find it by ``autodiscover_tasks``. Nothing else imports it: the app works without Celery.

Messages in a queue hold the tasks' names: they never change.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import Task, shared_task
from django.db import DatabaseError, Error

from recommender_app.conf import settings
from recommender_app.exceptions import RecommenderError, RegistryError
from recommender_app.experiments.ramping import ramp_due
from recommender_app.management.batch_lists import write_lists
from recommender_app.management.batch_queue import BATCH_SHARD, from_message
from recommender_app.management.log_upkeep import drain_and_tell, trim_request_log
from recommender_app.measurement.readouts import watching
from recommender_app.measurement.schedule import roll_up_due
from recommender_app.models import TrainingRun
from recommender_app.registry.runs import MAX_ATTEMPTS
from recommender_app.schedule import (
    DISPATCH,
    DRAIN_SPOOL,
    JANITOR,
    LOOK,
    RAMP,
    ROLL_UP,
    SYNC,
    TRAIN,
    TRIM_LOG,
    WATCHDOG,
)
from recommender_app.training.janitor import keep_order
from recommender_app.training.requested import perform_run
from recommender_app.training.sync import sync_artifacts
from recommender_app.training.watchdog import look_after_runs
from recommender_app.usecases.site import all_use_cases

logger = logging.getLogger(__name__)

AWAY_RETRIES = 12  # of a message that found no database: the waits grow to five minutes, about 35 minutes in all
SHORT = {"ignore_result": True, "soft_time_limit": 60, "time_limit": 90}


@shared_task(
    name=BATCH_SHARD,
    ignore_result=True,
    autoretry_for=(RegistryError, DatabaseError),  # nothing could be read or loaded just now
    retry_backoff=5,
    retry_backoff_max=300,
    max_retries=5,
)
def batch_shard(**message: Any) -> str:
    """Write the lists of one shard; twice is harmless, the file is replaced as a whole."""
    return str(write_lists(from_message(message)).path)


@shared_task(name=DISPATCH, **SHORT)
def dispatch() -> str:
    """Rescue dead runs, ask for those that are due, send those that wait to the training workers."""
    return str(look_after_runs(_send))


@shared_task(name=WATCHDOG, **SHORT)
def watchdog() -> str:
    """Rescue dead runs and ask for those that are due, where something else than Celery trains."""
    return str(look_after_runs())


@shared_task(
    name=TRAIN,
    bind=True,
    ignore_result=True,
    acks_late=True,
    retry_on_worker_lost=True,  # a message that comes back is harmless: whoever claims the run first trains
    max_retries=MAX_ATTEMPTS - 1,
    default_retry_delay=settings.LEASE_SECONDS + 1,  # by then, the run of a killed process may be claimed
    throws=(RecommenderError,),
)
def train(task: Task, run_id: int) -> str:
    """Train what a requested run asks for; every message but the first is skipped.

    A message that finds no database comes back: until QUEUE_SECONDS have passed no other is sent.
    """
    try:
        return perform_run(run_id) or f"run {run_id}: skipped, there is nothing to do"
    except Error as error:
        seconds = min(300, 5 * 2**task.request.retries)
        raise task.retry(exc=error, countdown=seconds, max_retries=AWAY_RETRIES) from error


@shared_task(name=JANITOR, **{**SHORT, "soft_time_limit": 600, "time_limit": 660})
def janitor() -> None:
    """Remove leftovers, repair what rows and folders disagree about, delete what is superfluous."""
    for line in keep_order():
        logger.warning("%s", line)


@shared_task(name=SYNC, **{**SHORT, "soft_time_limit": 600, "time_limit": 660})
def sync() -> None:
    """Bring the host of this worker up to date with ARTIFACT_STORAGE."""
    sync_artifacts(use_case.key for use_case in all_use_cases())


@shared_task(name=DRAIN_SPOOL, **SHORT)
def drain_spool() -> str:
    """Put what waits in this host's spool into the request log."""
    return drain_and_tell()


@shared_task(name=TRIM_LOG, **{**SHORT, "soft_time_limit": 600, "time_limit": 660})
def trim_log() -> int:
    """Delete old rows of the request log; return how many."""
    return trim_request_log().n_rows


@shared_task(name=ROLL_UP, **{**SHORT, "soft_time_limit": 600, "time_limit": 660})
def roll_up() -> int:
    """Roll up the days that are due, as many as fit; the others are due the next time."""
    return sum(1 for _ in roll_up_due(all_use_cases(), seconds=300))


@shared_task(name=LOOK, **{**SHORT, "soft_time_limit": 600, "time_limit": 660})
def look_at_experiments() -> int:
    """Take the daily snapshots of experiments that are due."""
    return sum(1 for _ in watching.look_at_experiments())


@shared_task(name=RAMP, **SHORT)
def ramp_experiments() -> str:
    """Take the steps of experiments' ramps that are due, where nothing speaks against them."""
    return "\n".join(ramp_due())


def _send(run: TrainingRun) -> None:
    train.apply_async((run.pk,), retry=False)
