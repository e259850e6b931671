"""What runs for a use case, in this process: read at most every RELOAD_SECONDS, not per request.

So a phase that is stopped assigns nobody and serves nobody's arm after RELOAD_SECONDS, everywhere.
"""

from __future__ import annotations

import logging

from recommender_app import conf
from recommender_app.experiments.phases import RunningPhase, read_running
from recommender_app.models import Phase
from recommender_app.registry.database import DATABASE_ERRORS, savepoint
from recommender_app.registry.rereading import Rereading

logger = logging.getLogger(__name__)


class RunningPhases:
    """The phases of one use case in this process; safe to share between threads."""

    def __init__(self, use_case_key: str) -> None:
        self.use_case_key = use_case_key
        self.phases: tuple[RunningPhase, ...] = ()
        self._is_readable = True
        self._rereading = Rereading(self._read)

    def current(self) -> tuple[RunningPhase, ...]:
        """Return what runs, as it was read last."""
        self._rereading.when_due()
        return self.phases

    def _read(self) -> None:
        """Take over what is stored; what ran before goes on where the database cannot say."""
        try:
            with savepoint(Phase):
                self.phases = read_running(self.use_case_key)
            self._is_readable = True
        except DATABASE_ERRORS as error:
            self._report(error)

    def _report(self, error: Exception) -> None:
        if self._is_readable:
            logger.error("What experiments run for %s cannot be read: %s", self.use_case_key, error)
        self._is_readable = False


_running: dict[str, RunningPhases] = {}


def running_phases(use_case_key: str) -> tuple[RunningPhase, ...]:
    """Return the phases that run for a use case, oldest first; no query, but for one in RELOAD_SECONDS."""
    found = _running.get(use_case_key) or _running.setdefault(use_case_key, RunningPhases(use_case_key))
    return found.current()


def known_phases(use_case_key: str) -> tuple[RunningPhase, ...]:
    """Return the phases of a use case as they were read last; never a query."""
    found = _running.get(use_case_key)
    return found.phases if found else ()


def forget() -> None:
    """Drop what was read; the next request reads anew."""
    _running.clear()


conf.on_reload.append(forget)
