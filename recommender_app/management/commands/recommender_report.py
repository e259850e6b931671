"""``manage.py recommender_report``: online metrics from the roll-ups, offline ones beside them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from recommender_app.evaluation.report import text_table
from recommender_app.exceptions import ConfigurationError
from recommender_app.management.base import RecommenderCommand, chosen_use_cases
from recommender_app.management.day_options import day
from recommender_app.measurement.days import day_of
from recommender_app.measurement.metric_tables import TITLES, as_csv, table_rows
from recommender_app.measurement.metrics import BY, Metrics, metrics_of

DAYS = 28


class Command(RecommenderCommand):
    """Prints what GET recommender/metrics/ answers."""

    help = (
        "Print what came of what was shown, by engine, version, arm or day, from the daily roll-ups: with 95 % "
        "intervals in which users are independent, and with what the versions were measured to be in training. Days "
        "are of UTC; everything counts on the day of the answer. As served, not causal: engines answer different "
        "people; what one of them effects, an experiment tells."
    )
    examples = (
        ("", "every use case, by engine, the last 28 days"),
        ("movies --by version --from 2026-11-01 --to 2026-11-14", "versions in a fortnight"),
        ("movies --by day --csv", "for a spreadsheet"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("use_cases", nargs="*", metavar="use_case", help="Keys of use cases; all if none is named.")
        parser.add_argument("--by", choices=list(BY), default="engine", help="What the rows are; engines by default.")
        parser.add_argument("--from", type=day, metavar="YYYY-MM-DD", help="First day; 27 days before the last one.")
        parser.add_argument("--to", type=day, metavar="YYYY-MM-DD", help="Last day, included; today by default.")
        parser.add_argument("--csv", action="store_true", help="Print CSV, with every number and interval.")

    def run(self, **options: Any) -> None:
        first, last = _days(options)
        for use_case in chosen_use_cases(options["use_cases"]):
            found = metrics_of(use_case.key, first, last, options["by"])
            if options["csv"]:
                self.stdout.write(as_csv(found), ending="")
                continue
            self.stdout.write(self.style.MIGRATE_HEADING(f"{use_case.key}: {first} to {last}"))
            self.stdout.write(_report(found) + "\n")


def _days(options: dict[str, Any]) -> tuple[date, date]:
    last = options["to"] or day_of(timezone.now())
    first = options["from"] or last - timedelta(days=DAYS - 1)
    if first > last:
        raise ConfigurationError(f"--from {first} is after the last day, {last}.")
    return first, last


def _report(metrics: Metrics) -> str:
    if not metrics.groups:
        return "Nothing was rolled up: manage.py recommender_roll_up"
    missing = f"\n{metrics.days_missing} of the days are not rolled up." if metrics.days_missing else ""
    return text_table(TITLES, table_rows(metrics)) + missing
