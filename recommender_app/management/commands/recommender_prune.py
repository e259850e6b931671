"""``manage.py recommender_prune``: delete the artifacts and datasets that nothing needs any more."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from recommender_app.evaluation.report import text_table
from recommender_app.management.base import RecommenderCommand, chosen_use_cases
from recommender_app.training.forgotten import prune_forgotten
from recommender_app.training.retention import n_young, prune

TITLES = ("use case", "kind", "name", "MB")


class Command(RecommenderCommand):
    """Prunes and lists what was deleted."""

    help = (
        "Delete model versions and datasets that nothing needs any more. Kept are what is live, what can be rolled "
        "back to, what is pinned, the newest KEEP_VERSIONS of each engine and KEEP_DATASETS datasets, and what is "
        "younger than an hour. What holds or has learned from users who are forgotten goes as soon as it can be done "
        "without, and in FORGOTTEN_VERSIONS_DAYS at the latest. The rows stay as history. The hourly janitor does the "
        "same."
    )
    examples = (("", "prune every use case"), ("movies --dry-run", "list what would be deleted"))

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_cases", nargs="*", metavar="use_case", help="Keys of use cases; all if none is named.")
        parser.add_argument("--dry-run", action="store_true", help="Only list.")

    def run(self, **options: Any) -> None:
        chosen, dry_run = chosen_use_cases(options["use_cases"]), options["dry_run"]
        pruned = [each for use_case in chosen for each in prune(use_case.key, dry_run=dry_run)]
        pruned += [each for use_case in chosen for each in prune_forgotten(use_case, dry_run=dry_run)]
        pruned = list(dict.fromkeys(pruned))  # a dry run may name a folder for two reasons
        if not pruned:
            n_left = sum(n_young(use_case.key) for use_case in chosen)
            young = (
                f" {n_left} {'is' if n_left == 1 else 'are'} younger than an hour and stay for now." if n_left else ""
            )
            self.stdout.write(f"There is nothing to delete.{young}")
            return
        rows = [(each.use_case, each.kind, each.name, f"{each.size / 1e6:.2f}") for each in pruned]
        megabytes = sum(each.size for each in pruned) / 1e6
        verb = "would be deleted" if options["dry_run"] else "deleted"
        self.stdout.write(f"{text_table(TITLES, rows)}\n{megabytes:.2f} MB {verb}.")
