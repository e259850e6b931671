"""``manage.py recommender_export``: the tables of use cases as dataset folders."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError
from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from recommender_app.exceptions import RecommenderError, UnknownUseCase
from recommender_app.management.progress import progress_bar
from recommender_app.training.export import ExportedDataset, export_dataset
from recommender_app.training.export_options import ExportOptions
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.site import all_use_cases, get_use_case


class Command(BaseCommand):
    """Parses, exports each use case, prints what was written."""

    help = "Export the interactions, items and users of use cases as immutable dataset folders."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_cases", nargs="*", metavar="use_case", help="Keys of use cases; all if none is named.")
        parser.add_argument("--since", type=_moment, help="First day or ISO time that counts.")
        parser.add_argument("--until", type=_moment, help="First day or ISO time that no longer counts.")
        parser.add_argument("--min-interactions", type=_count, default=0, help="Leave out users with fewer.")
        parser.add_argument("--json-mappings", action="store_true", help="Also write id -> row as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = ExportOptions(
            options["since"], options["until"], options["min_interactions"], options["json_mappings"]
        )
        failures = []
        for use_case in self._chosen(options["use_cases"]):
            try:
                self._export(use_case, wanted, is_told=options["verbosity"] > 0)
            except RecommenderError as error:  # the others are exported all the same
                failures.append(str(error))
            except DatabaseError as error:
                raise CommandError(f"The database refuses: {str(error).splitlines()[0]}. Is it migrated?") from error
        if failures:
            raise CommandError("\n".join(failures))

    def _chosen(self, keys: list[str]) -> list[UseCase]:
        try:
            chosen = [get_use_case(key) for key in keys] or all_use_cases()
        except UnknownUseCase as error:
            raise CommandError(str(error)) from error
        if not chosen:
            raise CommandError("No use case is declared: write recommendations.py in one of your apps.")
        return chosen

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
