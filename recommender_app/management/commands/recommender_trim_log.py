"""``manage.py recommender_trim_log``: delete old rows of the request log and old events."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from recommender_app.exceptions import ConfigurationError
from recommender_app.management.base import RecommenderCommand
from recommender_app.management.log_upkeep import trim_request_log
from recommender_app.usecases.rules import MOST_DAYS


class Command(RecommenderCommand):
    """Trims and says how many rows were deleted."""

    help = (
        "Delete the rows of the request log that are older than LOG_RETENTION_DAYS, in short transactions of their "
        "own, and posted events after EVENT_RETENTION_DAYS, those of before a login that never came after a week. Rows "
        "that the roll-ups still need stay. Celery beat and recommender_work do it every hour."
    )
    examples = (("", "keep LOG_RETENTION_DAYS"), ("--days 30 --dry-run", "count what is older than 30 days"))

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=float, help="Instead of LOG_RETENTION_DAYS, for the log.")
        parser.add_argument("--dry-run", action="store_true", help="Only count.")

    def run(self, **options: Any) -> None:
        days, dry_run = options["days"], options["dry_run"]
        if days is not None and not 0 < days <= MOST_DAYS:
            raise ConfigurationError(f"--days must be a number above 0, up to {MOST_DAYS}.")
        trimmed = trim_request_log(days=days, dry_run=dry_run)
        self.stdout.write(f"{trimmed} {'would be' if dry_run else 'are'} deleted.")
