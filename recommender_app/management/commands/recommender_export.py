"""``manage.py recommender_export``: the tables of use cases as dataset folders."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError
from datetime import date, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from recommender_app.exceptions import RecommenderError
from recommender_app.management.base import RecommenderCommand, chosen_use_cases
from recommender_app.management.progress import progress_bar
from recommender_app.training.export import ExportedDataset, export_dataset
from recommender_app.training.export_options import ExportOptions
from recommender_app.usecases.declaration import UseCase


class Command(RecommenderCommand):
    """Parses, exports each use case, prints what was written."""

    help = "Export the interactions, items and users of use cases as immutable dataset folders."
    examples = (
        ("", "every use case"),
        ("movies --since 1998-01-01 --until 1998-04-01", "a window of time"),
        ("movies --min-interactions 5 --json-mappings", "without users of few interactions, and id -> row as JSON"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_cases", nargs="*", metavar="use_case", help="Keys of use cases; all if none is named.")
        parser.add_argument("--since", type=_moment, help="First day or ISO time that counts.")
        parser.add_argument("--until", type=_moment, help="First day or ISO time that no longer counts.")
        parser.add_argument("--min-interactions", type=_count, default=0, help="Leave out users with fewer.")
        parser.add_argument("--json-mappings", action="store_true", help="Also write id -> row as JSON.")

    def run(self, **options: Any) -> None:
        use_cases = chosen_use_cases(options["use_cases"])
        wanted = ExportOptions(
            options["since"], options["until"], options["min_interactions"], options["json_mappings"]
        )
        failures = []
        for use_case in use_cases:
            try:
                self._export(use_case, wanted, is_told=options["verbosity"] > 0)
            except RecommenderError as error:  # the others are exported all the same
                failures.append(str(error))
        if failures:
            raise CommandError("\n".join(failures))

    def _export(self, use_case: UseCase, wanted: ExportOptions, *, is_told: bool) -> None:
        started = time.monotonic()
        with progress_bar(self.stdout, is_wanted=is_told) as progress:
            exported = export_dataset(use_case, wanted, progress)
        self.stdout.write(_summary(exported, time.monotonic() - started))


def _summary(exported: ExportedDataset, seconds: float) -> str:
    counts, events = exported.manifest["counts"], exported.manifest["counts"]["events"]
    how = "reused, nothing has changed" if exported.is_reused else "written"
    return (
        f"{exported.manifest['use_case']}: {counts['interactions']} interactions of {counts['users']} users with "
        f"{counts['items']} items ({', '.join(f'{name} {n}' for name, n in events.items())})\n"
        f"  {exported.path} ({how}, {seconds:.1f} s)"
    )


def _moment(text: str) -> datetime | date:
    try:
        return date.fromisoformat(text) if len(text) == len("2024-01-31") else datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is no ISO date or time such as 2024-01-31 or 2024-01-31T12:00+00:00"
        ) from None


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no whole number of at least 0")
    return int(text)
