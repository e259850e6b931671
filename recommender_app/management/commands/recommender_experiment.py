"""``manage.py recommender_experiment``: what an experiment says, health first."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from recommender_app.evaluation.report import text_table
from recommender_app.management.base import RecommenderCommand
from recommender_app.management.day_options import day
from recommender_app.measurement.days import ONE_DAY, day_of
from recommender_app.measurement.readouts.assumptions import Assumed
from recommender_app.measurement.readouts.planning import plan_of, sentence_of, store_plan
from recommender_app.measurement.readouts.printed import TITLES, all_phases_lines, guardrail_lines, table_rows
from recommender_app.measurement.readouts.snapshots import days_to_look_at, take_snapshot
from recommender_app.measurement.readouts.stored import chosen_snapshots, experiment_of, phase_of, snapshot_of
from recommender_app.measurement.readouts.tables import as_csv
from recommender_app.measurement.readouts.told import read_out_json
from recommender_app.measurement.readouts.watching import pause_if_harmful
from recommender_app.models import Phase, Snapshot

MARKS = {"green": "ok   ", "amber": "look ", "red": "RED  "}


class Command(RecommenderCommand):
    """Prints what GET recommender/experiments/<key>/ answers."""

    help = (
        "Print the verdict of an experiment in words, whether its numbers can be believed, then every metric of every "
        "arm with its interval. Intervals hold however often they are looked at; the look at the planned sample is "
        "printed once every arm has its planned users. Snapshots are taken once a day by a task, or by --take."
    )
    examples = (
        ("spring-ranking", "the last snapshot of its newest phase"),
        ("spring-ranking --plan", "how many users and days it needs, from the site's own numbers"),
        ("spring-ranking --plan --rate 0.05 --users-per-day 200", "the same for a site without a past"),
        ("spring-ranking --plan --store", "and plan the phase, which has not begun, for them"),
        ("spring-ranking --take", "first take the snapshots of days that are over and rolled up"),
        ("spring-ranking --phase 1 --csv", "every snapshot of a phase for a spreadsheet"),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("experiment", help="Key of the experiment.")
        parser.add_argument("--phase", type=int, metavar="N", help="Number of the phase; the newest by default.")
        parser.add_argument("--day", type=day, metavar="YYYY-MM-DD", help="Day of the snapshot; the last by default.")
        parser.add_argument("--take", action="store_true", help="Take the snapshots that are due first.")
        parser.add_argument("--plan", action="store_true", help="Print users and days needed instead.")
        parser.add_argument("--store", action="store_true", help="With --plan: keep the users as the phase's plan.")
        parser.add_argument("--rate", type=float, help="With --plan: assume this primary metric, 0.05 = five per cent.")
        parser.add_argument("--users-per-day", type=int, metavar="N", help="With --plan: assume N new users a day.")
        parser.add_argument(
            "--csv", action="store_true", help="Print all snapshots of the phase, or that of --day, as CSV."
        )
        parser.add_argument("--json", action="store_true", help="Print the snapshot as JSON.")

    def run(self, **options: Any) -> None:
        if options["store"] and not options["plan"]:
            raise CommandError("--store keeps what --plan computes: give both.")
        if sum(options[each] for each in ("plan", "csv", "json")) > 1:
            raise CommandError("Choose one of --plan, --csv and --json.")
        assumed = _assumed(options)
        phase = phase_of(experiment_of(options["experiment"]), options["phase"])
        today = day_of(timezone.now())
        if options["plan"]:
            self._plan(phase, today, assumed, store=options["store"])
            return
        if options["take"]:
            _take(phase, today)
        if options["csv"]:
            self.stdout.write(as_csv(chosen_snapshots(phase, options["day"])), ending="")
            return
        snapshot = snapshot_of(phase, options["day"])
        if options["json"]:
            self.stdout.write(json.dumps(read_out_json(phase, snapshot), indent=2, cls=DjangoJSONEncoder))
        elif snapshot is None:
            self.stdout.write(f"{phase} has no snapshot yet: {_why_none(phase)}.")
        else:
            self._tell(snapshot)

    def _plan(self, phase: Phase, today: date, assumed: Assumed, *, store: bool) -> None:
        plan = plan_of(phase, today - ONE_DAY, assumed)
        self.stdout.write(sentence_of(phase, plan))
        if store:
            store_plan(phase, plan, "command")
            self.stdout.write(f"{phase} is planned for {plan.per_arm:,} users per arm.")

    def _tell(self, snapshot: Snapshot) -> None:
        experiment, days = snapshot.phase.experiment, snapshot.results["days"]
        of_each = f", of each unit the first {experiment.window_days}" if experiment.window_days else ""
        self.stdout.write(self.style.MIGRATE_HEADING(f"{snapshot.phase}: {experiment.name}, {days} days{of_each}"))
        self.stdout.write(f"{snapshot.sentence}\n")
        for check in snapshot.health:
            self.stdout.write(f"  {MARKS[check['severity']]}{check['sentence']}")
        for line in (*guardrail_lines(snapshot), *all_phases_lines(snapshot)):
            self.stdout.write(f"  {line}")
        self.stdout.write("\n" + text_table(TITLES, table_rows(snapshot)))
        self.stdout.write(f"As of {snapshot.as_of}, data {snapshot.data_hash[:12]}, version {snapshot.code_version}.")


def _assumed(options: dict[str, Any]) -> Assumed:
    """Return what is assumed of the site."""
    assumed = Assumed(options["rate"], options["users_per_day"])
    if assumed and not options["plan"]:
        raise CommandError("--rate and --users-per-day are what --plan assumes: give it, too.")
    return assumed


def _why_none(phase: Phase) -> str:
    if phase.started_at is None:
        return "it has not begun (start it in the admin)"
    return "its first day is not over, or not rolled up (--take)"


def _take(phase: Phase, today: date) -> None:
    if phase.started_at:
        for each in days_to_look_at(phase, today):
            take_snapshot(phase, each)
        pause_if_harmful(phase)  # as the task does, with an error in the log
