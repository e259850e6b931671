"""``manage.py recommender_reconcile``: repair what rows, folders and LIVE hints disagree about."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from recommender_app.management.base import RecommenderCommand, chosen_use_cases
from recommender_app.training.reconcile import Options, reconcile


class Command(RecommenderCommand):
    """Repairs, a line for each repair."""

    help = (
        "Repair every disagreement between the database, the artifact folders and the LIVE hints: runs whose process "
        "died, rows without a folder, folders without a row (deleted after a day), a live release that does not open "
        "(rolled back to the newest that does), hints that are missing or wrong. The hourly janitor does the same."
    )
    examples = (
        ("", "repair every use case"),
        ("movies --dry-run", "tell what would be repaired"),
        ("movies --adopt", "make candidates of folders that have no row, as after restoring a backup"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_cases", nargs="*", metavar="use_case", help="Keys of use cases; all if none is named.")
        parser.add_argument("--dry-run", action="store_true", help="Only tell.")
        parser.add_argument("--adopt", action="store_true", help="Register folders without a row as candidates.")

    def run(self, **options: Any) -> None:
        chosen = Options(dry_run=options["dry_run"], adopt=options["adopt"])
        lines = [
            line for use_case in chosen_use_cases(options["use_cases"]) for line in reconcile(use_case.key, chosen)
        ]
        if lines and options["dry_run"]:
            self.stdout.write("Without --dry-run, this would be done:")
        for line in lines:
            self.stdout.write(line)
        if not lines:
            self.stdout.write("Rows, folders and LIVE hints agree.")
        elif options["dry_run"]:
            self.stdout.write("Nothing was changed.")
