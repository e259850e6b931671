"""Kills trainings of a slot between publishing and their end: ``python -m tests.faults.publishing.going_on``.

Prints one line of JSON per point: what the rows say once another process has gone on. Everything
happens in forks of this process, which has no connection open while it forks.
"""

# ruff: noqa: T201, E402  the output is the report; Django is set up before its models are imported

from __future__ import annotations

import django

django.setup()

import json
import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from recommender_app.engines.ensemble import MEMBER_VERSIONS
from recommender_app.models import ModelVersion, Release, TrainingRun
from recommender_app.registry import live, releases
from recommender_app.registry.releases import live_release
from recommender_app.registry.runs import request_run, requested_runs
from recommender_app.trainers.catalog import trainer_of
from recommender_app.training import claimed, lifecycle, publishing
from recommender_app.training.lifecycle import retrain
from recommender_app.training.requested import perform_run
from recommender_app.training.watchdog import look_after_runs
from recommender_app.usecases.site import get_use_case
from tests.app import readings
from tests.faults.publishing.killing import in_a_fork
from tests.faults.publishing.points import after, die

DAILY = ("popular", "trending")


def _ensemble_published() -> None:
    """The ensemble that was fitted again is registered, nothing is promoted."""
    original = publishing.storage.store

    def store(use_case: str, engine: str, name: str) -> None:
        original(use_case, engine, name)
        if engine == "ensemble":
            die()

    publishing.storage.store = store


def _hint_lost() -> None:
    live.write_live_hint = die


def _stored() -> None:
    after(publishing.storage, "store")


POINTS: dict[str, Callable[[], None]] = {
    "first one published": _stored,
    "first one tried": lambda: after(lifecycle, "try_out"),
    "ensemble published": _ensemble_published,
    "release inserted": lambda: after(releases, "settle_versions"),
    "promoted": _hint_lost,
    "hint written": lambda: after(live, "write_live_hint"),
    "first run ended": lambda: after(claimed, "finish_run"),
}


def done(work: Callable[[], None]) -> int:
    """Do work in a fork and return its wait status."""
    return os.waitpid(in_a_fork(work), 0)[1]


def begin() -> None:
    """Make a library whose daily engines and ensemble are live."""
    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)
    readings.fill()
    retrain(get_use_case("books"), [*DAILY, "ensemble"], by="test")


def prepare() -> None:
    """Make the library in a fork; trainings in later forks find imported what they import, and die in their work."""
    for engine in ("popular", "trending", "als", "two_tower", "ensemble"):  # an ensemble's config asks for all of them
        trainer_of(engine)
    import_module("pyarrow.dataset")
    done(begin)


def train(point: str, slot: str) -> None:
    """Train what is due, and die at a point."""
    runs = [request_run("books", engine, requested_by="test", slot=slot) for engine in DAILY]
    POINTS[point]()
    perform_run(runs[0].pk)


def go_on() -> None:
    """Do what another worker does five minutes later."""
    TrainingRun.objects.filter(status="running").update(lease_until=timezone.now())
    look_after_runs()
    while waiting := requested_runs().first():
        requested_runs().update(lease_until=timezone.now())  # it has rested
        perform_run(waiting.pk)


def seen(slot: str, n_before: int) -> dict[str, Any]:
    """Return what is live and what became of the slot's runs."""
    release = live_release("books")
    members = {member.engine: member.version for member in release.members.all()} if release else {}
    runs = TrainingRun.objects.filter(slot=slot)
    versions = ModelVersion.objects.filter(training_run__in=runs)
    return {
        "runs": sorted((run.engine, run.status) for run in runs),
        "open": TrainingRun.objects.filter(status__in=("requested", "running")).count(),
        "new": sorted(version.name for version in versions),
        "candidates": [each.name for each in ModelVersion.objects.filter(status="candidate")],
        "live": {engine: version.name for engine, version in members.items()},
        "fitted": members["ensemble"].config[MEMBER_VERSIONS] if "ensemble" in members else {},
        "n_releases": Release.objects.count() - n_before,
    }


def main() -> None:
    """Kill at every point and print the reports."""
    prepare()
    for number, point in enumerate(POINTS):
        slot, n_before = f"day-{number}", Release.objects.count()
        if not os.WIFSIGNALED(done(lambda point=point, slot=slot: train(point, slot))):
            raise AssertionError(f"The training did not reach the point {point!r}.")
        left = seen(slot, n_before)
        done(go_on)
        print(json.dumps({"point": point, "left": left, "after": seen(slot, n_before)}), flush=True)
        connections.close_all()


if __name__ == "__main__":
    main()
