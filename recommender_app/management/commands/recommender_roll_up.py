"""``manage.py recommender_roll_up``: sum up the request log and what came of it, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from recommender_app.exceptions import ConfigurationError
from recommender_app.management.base import RecommenderCommand, chosen_use_cases
from recommender_app.management.day_options import day
from recommender_app.measurement.days import aware, day_of
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
            self.stdout.write(_nothing_due(use_cases))


def _nothing_due(use_cases: list[UseCase]) -> str:
    today = day_of(timezone.now())
    rows = RolledUpDay.objects.filter(use_case__in=[use_case.key for use_case in use_cases], day=today)
    done = rows.order_by("rolled_up_at").first()
    if done is None:
        return "No day is due: the request log is empty."
    return f"No day is due: today was last summed up at {aware(done.rolled_up_at).astimezone(UTC):%H:%M} UTC."


def _rolled_up(use_cases: list[UseCase], options: dict[str, Any]) -> Iterator[RolledUpDay]:
    if not options["day"]:
        yield from roll_up_due(use_cases)
        return
    if max(options["day"]) > (today := day_of(timezone.now())):
        raise ConfigurationError(f"--day {max(options['day'])} is still to come: in UTC it is {today}.")
    for use_case in use_cases:
        for wanted in sorted(set(options["day"])):
            yield roll_up_day(use_case, wanted)
