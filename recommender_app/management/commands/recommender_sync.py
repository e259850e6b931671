"""``manage.py recommender_sync``: bring this host up to date with ARTIFACT_STORAGE."""

from __future__ import annotations

import math
import time
from typing import Any

from django.core.management.base import CommandParser
from django.db import Error, close_old_connections

from recommender_app.exceptions import ArtifactError, ConfigurationError
from recommender_app.management.base import RecommenderCommand, chosen_use_cases
from recommender_app.training.sync import sync_artifacts


class Command(RecommenderCommand):
    """Fetches what is live, sends what only this host has."""

    help = (
        "Bring this host up to date with ARTIFACT_STORAGE: fetch what is live, pinned or to be rolled back to, compare "
        "every checksum, then let the processes of this host serve it; send trained versions that are not stored yet. "
        "Run it on every host that serves or trains: with --poll as a service, or from cron."
    )
    examples = (("", "every use case, once"), ("--poll 30", "twice a minute until stopped"))

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_cases", nargs="*", metavar="use_case", help="Keys of use cases; all if none is named.")
        parser.add_argument("--poll", type=float, metavar="SECONDS", help="Go on until stopped, with such pauses.")

    def run(self, **options: Any) -> None:
        poll = options["poll"]
        if poll is not None and not (math.isfinite(poll) and poll > 0):
            raise ConfigurationError("--poll must be a number of seconds above 0.")
        keys = [use_case.key for use_case in chosen_use_cases(options["use_cases"])]
        if poll is None:
            self._say(sync_artifacts(keys) or ["Everything is up to date."])
            return
        while True:
            try:
                self._say(sync_artifacts(keys))
            except (ArtifactError, Error) as error:  # the next round may get through
                self.stderr.write(str(error))
            time.sleep(poll)
            close_old_connections()

    def _say(self, lines: list[str]) -> None:
        for line in lines:
            self.stdout.write(line)
        self.stdout.flush()
