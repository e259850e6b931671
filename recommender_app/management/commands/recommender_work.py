"""``manage.py recommender_work``: scheduled and requested trainings in this process, without a broker."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import Error, close_old_connections

from recommender_app.exceptions import ConfigurationError, RecommenderError
from recommender_app.experiments.ramping import ramp_due
from recommender_app.management.base import RecommenderCommand
from recommender_app.management.log_upkeep import look_after_log
from recommender_app.management.progress import progress_bar
from recommender_app.models import TrainingRun
from recommender_app.registry.queue import due_runs
from recommender_app.schedule import JANITOR_SECONDS
from recommender_app.training.janitor import keep_order
from recommender_app.training.requested import perform_run
from recommender_app.training.watchdog import look_after_runs

POLL_SECONDS = 5.0


class Stopped(SystemExit):
    """The process was told to stop; a training that it interrupts goes back to those who wait."""


class Command(RecommenderCommand):
    """Trains what is due and what was asked for, one after the other."""

    help = (
        "Train what the setting TRAINING_SCHEDULE says is due and what was asked for in the admin, one after the "
        "other, in this process: what Celery beat and a training worker do, for sites without a broker. Several may "
        "run, each training is done once. Once an hour leftovers are removed, disagreements repaired and superfluous "
        "versions deleted, as the janitor of Celery beat does, and the ramps of experiments go up. SIGTERM or Ctrl-C "
        "stops it; a training that it interrupts waits again."
    )
    examples = (
        ("", "work until stopped"),
        ("--once", "train what is due and what waits, then end: for cron"),
        ("--poll 60", "look for work once a minute"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="End when nothing is left to do.")
        parser.add_argument("--poll", type=float, default=POLL_SECONDS, metavar="SECONDS", help="Pause between looks.")

    def run(self, **options: Any) -> None:
        if not (math.isfinite(options["poll"]) and options["poll"] > 0):
            raise ConfigurationError("--poll must be a number of seconds above 0.")
        try:
            with _stopped_by_signals():
                self._work(options)
        except Stopped:
            self._say(options, "Stopped.")
            raise

    def _work(self, options: dict[str, Any]) -> None:
        if not options["once"]:
            self._say(options, "Waiting for trainings; stop with Ctrl-C.")
        tidy_at = time.monotonic()  # at once: the process before may have left something
        while True:
            try:
                failures = self._round(options)
                if time.monotonic() >= tidy_at:
                    self._tidy(options)
                    tidy_at = time.monotonic() + JANITOR_SECONDS
            except Error as error:  # the database was away; the next round may get through
                if options["once"]:
                    raise
                self.stderr.write(f"The database refuses: {error}")
            if options["once"]:
                if failures:
                    raise CommandError("\n".join(failures))
                return
            time.sleep(options["poll"])
            close_old_connections()

    def _round(self, options: dict[str, Any]) -> list[str]:
        """Train everything that is due; return why some could not be."""
        look_after_log()
        look_after_runs()
        failures = []
        for run in due_runs():
            failure = self._train(run, options)
            if failure:
                self.stderr.write(failure)
                failures.append(failure)
        return failures

    def _train(self, run: TrainingRun, options: dict[str, Any]) -> str | None:
        try:
            with progress_bar(self.stdout, is_wanted=options["verbosity"] > 0) as progress:
                ended = perform_run(run.pk, progress)
        except RecommenderError as error:
            return str(error)
        if ended:
            self._say(options, ended)
        return None

    def _tidy(self, options: dict[str, Any]) -> None:
        for line in (*keep_order(), *ramp_due("recommender_work")):
            self._say(options, line)

    def _say(self, options: dict[str, Any], text: str) -> None:
        if options["verbosity"]:
            self.stdout.write(text)
            self.stdout.flush()


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGINT into Stopped while the block runs."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stopped(0)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
