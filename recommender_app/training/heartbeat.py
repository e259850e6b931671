"""A run in progress keeps its lease, however long one step of it takes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, connections

from recommender_app.conf import settings
from recommender_app.models import TrainingRun
from recommender_app.registry.runs import renew_lease

logger = logging.getLogger(__name__)

JOIN_SECONDS = 10.0


@contextmanager
def beating(run: TrainingRun, every_seconds: float | None = None) -> Iterator[None]:
    """Renew the run's lease while the block runs, five times within LEASE_SECONDS.

    In a thread with a connection of its own: an export is one long read-only transaction, and a
    trainer may report nothing for an hour. A run that lost its lease all the same is refused
    when it registers its version.
    """
    every_seconds = settings.LEASE_SECONDS / 5 if every_seconds is None else every_seconds
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(run, stop, every_seconds), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(JOIN_SECONDS)  # a beat may hang in a dead connection; the thread is a daemon


def _beat(run: TrainingRun, stop: threading.Event, every_seconds: float) -> None:
    while not stop.wait(every_seconds):
        try:
            renew_lease(run)
        except (
            Error
        ) as error:  # a lost connection is an InterfaceError, no DatabaseError; the next beat may get through
            logger.warning("The lease of run %s was not renewed: %s", run.pk, error)
        finally:
            connections.close_all()
