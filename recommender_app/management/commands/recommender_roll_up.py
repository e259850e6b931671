"""``manage.py recommender_roll_up``: sum up the request log and what came of it, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser

from recommender_app.management.base import RecommenderCommand, chosen_use_cases
from recommender_app.management.day_options import day
from recommender_app.measurement.roll_up import roll_up_day
from recommender_app.measurement.schedule import roll_up_due
from recommender_app.models import RolledUpDay
from recommender_app.usecases.declaration import UseCase


class Command(RecommenderCommand):
    """Rolls up and says what was counted."""

    help = (
        "Sum up the request log, posted events and interactions per day, engine, version, arm and user. Without --day, "
        "every day to which something may have been added since; Celery beat and recommender_work do that once an "
        "hour. A day is replaced as a whole: twice gives the same, and whoever is interrupted leaves the day as it was."
    )
    examples = (
        ("", "what is due, of every use case"),
        ("movies --day 2026-11-24 --day 2026-11-25", "two days of one of them once more"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_cases", nargs="*", metavar="use_case", help="Keys of use cases; all if none is named.")
        parser.add_argument(
            "--day", action="append", type=day, default=[], metavar="YYYY-MM-DD", help="A day of UTC, due or not."
        )

    def run(self, **options: Any) -> None:
        use_cases = chosen_use_cases(options["use_cases"])
        is_idle = True
        for done in _rolled_up(use_cases, options):
            is_idle = False
            if options["verbosity"]:
                self.stdout.write(f"{done.use_case} {done.day}: {done.requests:,} answers")
        if is_idle and options["verbosity"]:
            self.stdout.write("No day is due.")


def _rolled_up(use_cases: list[UseCase], options: dict[str, Any]) -> Iterator[RolledUpDay]:
    if not options["day"]:
        yield from roll_up_due(use_cases)
        return
    for use_case in use_cases:
        for wanted in sorted(set(options["day"])):
            yield roll_up_day(use_case, wanted)
