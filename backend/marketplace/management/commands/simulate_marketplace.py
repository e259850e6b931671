"""``manage.py simulate_marketplace``: an experiment on simulated people, with an effect that is known."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from backend.marketplace.driving.crowd import VISITS_PER_DAY
from backend.marketplace.driving.effects import KNOWN, Effects, parse_effects
from backend.marketplace.driving.experimenting import begin, end, simulate_days
from backend.marketplace.driving.site import USE_CASE, InProcess
from backend.marketplace.driving.visiting import Plan
from backend.marketplace.models import Developer
from recommender_app.experiments.templates import TEMPLATES
from recommender_app.management.base import INTERRUPTED, RecommenderCommand
from recommender_app.models import Experiment, Snapshot
from recommender_app.registry.releases import live_release

USERS = 5_000


class Command(RecommenderCommand):
    """Drive the real pipeline: assignment, answers, log, feedback, roll-up, snapshot."""

    help = (
        "Simulate developers who visit the marketplace while an experiment runs, with an effect that you choose, and "
        "print what the experiment finds. Answers, log, feedback, roll-ups and snapshots are the real ones, dated as "
        "the days that are simulated; only the people and the clock are not. The same seed gives the same visits. "
        "The experiment is stopped at the end."
    )
    examples = (
        ("--days 7 --users 300 --visits-per-day 1 --effect ctr=+60%", "a minute: a large effect is found"),
        ("--days 7 --users 300 --visits-per-day 1 --key nothing", "the same without an effect: nothing is found"),
        ("--template four_groups --effect conversion=+20% --seed 7", "28 days, 5000 developers: a quarter of an hour"),
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=28, help="default 28, ending yesterday")
        parser.add_argument("--users", type=int, help=f"developers; default all, {USERS} where there is none yet")
        parser.add_argument(
            "--effect",
            action="append",
            default=[],
            metavar="METRIC=+5%",
            help=f"on the treatments: {', '.join(KNOWN)}",
        )
        parser.add_argument("--template", choices=list(TEMPLATES), default="a_a", help="default a_a: two equal arms")
        parser.add_argument("--key", help="of the experiment; default simulated-SEED")
        parser.add_argument("--visits-per-day", type=float, default=VISITS_PER_DAY, help=f"default {VISITS_PER_DAY}")
        parser.add_argument("--seed", type=int, default=42, help="default 42")
        parser.add_argument("--stop-others", action="store_true", help="stop experiments that are in the way")

    def run(self, **options: Any) -> None:
        effects = _effects(options["effect"])
        _require_sense(options)
        developers = self._developers(options["users"])
        first = timezone.now().date() - timedelta(days=options["days"])
        key = options["key"] or f"simulated-{options['seed']}"
        experiment, by_arm = begin(
            key,
            options["template"],
            first,
            options["days"],
            len(developers),
            effects,
            stop_others=options["stop_others"],
        )
        plan = Plan(first, options["days"], by_arm, options["seed"], options["visits_per_day"])
        self._introduce(experiment, len(developers), plan)
        self._simulate(experiment, developers, plan, is_quiet=not options["verbosity"])
        self.stdout.write(f"The true effect: {effects}. What {key} has found:\n")
        call_command("recommender_experiment", key, stdout=self.stdout)

    def _simulate(self, experiment: Experiment, developers: list[Developer], plan: Plan, *, is_quiet: bool) -> None:
        """Let people visit; however that ends, the experiment is stopped."""
        started = time.perf_counter()
        try:
            done = simulate_days(experiment, InProcess(), developers, plan, _nothing if is_quiet else self._tell)
        except KeyboardInterrupt:
            n_days = experiment.phases.get().snapshots.count()
            days = f"{n_days} whole day{'' if n_days == 1 else 's'}"
            said = f"Interrupted: {experiment} is stopped after {days}. What has been recorded stays."
            raise CommandError(said, returncode=INTERRUPTED) from None
        finally:
            end(experiment)
        self.stdout.write(f"{done.n_visits:,} visits in {time.perf_counter() - started:.0f} s.")

    def _introduce(self, experiment: Experiment, n_users: int, plan: Plan) -> None:
        expected = n_users * plan.n_days * plan.visits_per_day
        self.stdout.write(
            f"{experiment} is started for {USE_CASE}: {n_users:,} developers, {plan.n_days} days from {plan.first}, "
            f"about {expected:,.0f} visits. Ctrl-C ends it."
        )
        if live_release(USE_CASE) is None:
            self.stdout.write(
                f"No model of {USE_CASE} is live: every list is that of a newcomer, and arms with engines of their own "
                f"do not differ. First train: manage.py recommender_train {USE_CASE} --all --promote"
            )

    def _tell(self, snapshot: Snapshot) -> None:
        n_exposed = sum(arm["exposed"] for arm in snapshot.results["arms"].values())
        self.stdout.write(f"  {snapshot.as_of}: {n_exposed:,} developers so far, {snapshot.verdict.replace('_', ' ')}")

    def _developers(self, wanted: int | None) -> list[Developer]:
        """Return the developers; an empty marketplace is filled first."""
        n = wanted or Developer.objects.count() or USERS
        if not Developer.objects.exists():
            self.stdout.write(f"The marketplace is empty: it is filled with {n:,} developers, which takes a while.")
            call_command("load_marketplace", n_developers=n, verbosity=0, stdout=self.stdout)
        found = list(Developer.objects.order_by("pk")[:n])
        if len(found) < n:
            raise CommandError(
                f"The marketplace has {len(found)} developers: leave --users out to take all; or, where its data may "
                f"go, load more: manage.py load_marketplace --replace --developers {n}."
            )
        return found


def _nothing(snapshot: Snapshot) -> None:
    """Tell nothing."""


def _effects(texts: list[str]) -> Effects:
    try:
        return parse_effects(texts)
    except ValueError as error:
        raise CommandError(str(error)) from error


def _require_sense(options: dict[str, Any]) -> None:
    if (
        not 1 <= options["days"] <= 366
        or (options["users"] is not None and options["users"] < 2)
        or options["seed"] < 0
    ):
        raise CommandError("--days is from 1 to 366, --users from 2, --seed from 0.")
    if not 0 < options["visits_per_day"] <= 24:
        raise CommandError("--visits-per-day is above 0 and up to 24.")
