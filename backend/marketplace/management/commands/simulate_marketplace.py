"""``manage.py simulate_marketplace``: an experiment on simulated people, with an effect that is known."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import date, timedelta
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from backend.marketplace.driving.crowd import VISITS_PER_DAY
from backend.marketplace.driving.effects import KNOWN, Effects, parse_effects
from backend.marketplace.driving.experimenting import Simulated, begin, simulate_days
from backend.marketplace.driving.site import InProcess
from backend.marketplace.driving.visiting import Plan
from backend.marketplace.models import Developer
from recommender_app.exceptions import RecommenderError
from recommender_app.experiments.templates import TEMPLATES


class Command(BaseCommand):
    """Drive the real pipeline: assignment, answers, log, feedback, roll-up, snapshot."""

    help = (
        "Simulate developers who visit the marketplace while an experiment runs, with an effect that you choose, and "
        "print what the experiment finds. Answers, log, feedback, roll-ups and snapshots are the real ones; only the "
        "people and the clock are not. The same seed gives the same visits."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=28, help="default 28, ending yesterday")
        parser.add_argument("--users", type=int, default=5_000, help="developers, at most; default 5000")
        parser.add_argument(
            "--effect", action="append", default=[], metavar="METRIC=+5%", help=f"on the treatments: {', '.join(KNOWN)}"
        )
        parser.add_argument("--template", choices=list(TEMPLATES), default="a_a", help="default a_a: two equal arms")
        parser.add_argument("--key", help="of the experiment; default simulated-SEED")
        parser.add_argument("--visits-per-day", type=float, default=VISITS_PER_DAY, help=f"default {VISITS_PER_DAY}")
        parser.add_argument("--seed", type=int, default=42, help="default 42")

    def handle(self, *args: Any, **options: Any) -> None:
        started, effects = time.perf_counter(), _effects(options["effect"])
        _require_sense(options)
        developers = _developers(options["users"])
        first = timezone.now().date() - timedelta(days=options["days"])
        key = options["key"] or f"simulated-{options['seed']}"
        try:
            done = self._simulate(key, developers, first, effects, options)
        except RecommenderError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.n_visits:,} visits of {len(developers):,} developers in {options['days']} days; "
            f"{time.perf_counter() - started:.0f} s. The true effect: {', '.join(options['effect']) or 'none'}.\n"
        )
        call_command("recommender_experiment", key, stdout=self.stdout)

    def _simulate(
        self, key: str, developers: list[Developer], first: date, effects: Effects, options: dict[str, Any]
    ) -> Simulated:
        experiment, by_arm = begin(key, options["template"], first, options["days"], len(developers), effects)
        plan = Plan(first, options["days"], by_arm, options["seed"], options["visits_per_day"])
        quiet = None if options["verbosity"] else True
        with tqdm(total=options["days"], desc="days", unit=" days", disable=quiet) as bar:
            return simulate_days(experiment, InProcess(), developers, plan, bar.update)


def _effects(texts: list[str]) -> Effects:
    try:
        return parse_effects(texts)
    except ValueError as error:
        raise CommandError(str(error)) from error


def _require_sense(options: dict[str, Any]) -> None:
    if not 1 <= options["days"] <= 366 or options["users"] < 2 or options["seed"] < 0:
        raise CommandError("--days is from 1 to 366, --users from 2, --seed from 0.")
    if not 0 < options["visits_per_day"] <= 24:
        raise CommandError("--visits-per-day is above 0 and up to 24.")


def _developers(n: int) -> list[Developer]:
    """Return the developers; an empty marketplace is filled first."""
    if not Developer.objects.exists():
        call_command("load_marketplace", n_developers=n, verbosity=0)
    found = list(Developer.objects.order_by("pk")[:n])
    if len(found) < n:
        raise CommandError(
            f"The marketplace has {len(found)} developers: ask for so many (--users {len(found)}), or load more first: "
            f"manage.py load_marketplace --replace --developers {n}."
        )
    return found
