"""``manage.py load_marketplace``: a simulated marketplace into the tables."""

from __future__ import annotations

import secrets
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rest_framework.authtoken.models import Token
from tqdm import tqdm

from backend.marketplace.loading.accounts import DEMO_PREFIX, LoadingError
from backend.marketplace.loading.load import find_loaded, load_world
from backend.marketplace.models import Simulation
from backend.marketplace.simulation.simulate import simulate
from backend.marketplace.simulation.world import Scale, World


class Command(BaseCommand):
    """Fill the marketplace with made-up start-ups, people and interactions."""

    help = "Simulate a marketplace: start-ups, developers, investors and what they do. The same seed gives the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        for name, default in vars(Scale()).items():
            parser.add_argument(f"--{name[2:]}", dest=name, type=int, default=default, help=f"default {default}")
        parser.add_argument("--seed", type=int, default=42, help="default 42")
        parser.add_argument("--end", type=_day, help="last day, YYYY-MM-DD (default: now)")
        parser.add_argument("--password", help="password of the demo logins (default: a random one, printed)")
        parser.add_argument("--replace", action="store_true", help="remove an earlier simulation first")

    def handle(self, *args: Any, seed: int, replace: bool, verbosity: int, **options: Any) -> None:
        started = time.perf_counter()
        scale = Scale(**{name: options[name] for name in vars(Scale())})
        self._require_sense(scale, seed)
        password = options["password"] or secrets.token_urlsafe(9)
        try:
            if not replace and (loaded := find_loaded(scale, seed)):
                self.stdout.write(f"Already loaded: {loaded}. Nothing was changed; --replace starts anew.")
                return self._show_logins(loaded)
            world = simulate(scale, seed)
            n = _count(world)
            with tqdm(total=n, desc="interactions", unit=" rows", disable=None if verbosity else True) as bar:
                simulation = load_world(
                    world,
                    scale,
                    seed,
                    end=options["end"] or timezone.now(),
                    password=password,
                    replace=replace,
                    advance=bar.update,
                )
        except LoadingError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Loaded {simulation}; {n} interactions; {time.perf_counter() - started:.1f} s.")
        self.stdout.write(f"Log in as any of these with the password {password}")
        return self._show_logins(simulation)

    def _show_logins(self, simulation: Simulation) -> None:
        accounts = simulation.accounts.filter(username__startswith=DEMO_PREFIX).order_by("pk")
        for token in Token.objects.filter(user__in=accounts).select_related("user").order_by("user"):
            self.stdout.write(f"  {token.user}: Authorization: Token {token.key}")

    def _require_sense(self, scale: Scale, seed: int) -> None:
        if min(vars(scale).values()) < 0 or scale.n_days == 0 or seed < 0:
            raise CommandError("Numbers must not be negative, and --days must be at least 1.")


def _count(world: World) -> int:
    parts = (world.developer_events, world.investor_events, world.recruiting_events, world.funding_events)
    return sum(len(events) for events in parts)


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
