"""Kills a training that somebody has typed after it has published: ``python -m tests.faults.publishing.typed``.

Prints one line of JSON per way to settle it: the watchdog, the repair, the next training. The last
training is begun from Python, without a command.
"""

# ruff: noqa: T201, E402  the output is the report; Django is set up before its models are imported

from __future__ import annotations

import django

django.setup()

import json
import os
from collections.abc import Callable

from django.db import connections
from django.utils import timezone

from recommender_app.models import ModelVersion, TrainingRun
from recommender_app.registry.releases import live_release
from recommender_app.training.lifecycle import retrain
from recommender_app.training.reconcile import reconcile
from recommender_app.training.run import train_model
from recommender_app.training.watchdog import look_after_runs
from recommender_app.usecases.site import get_use_case
from tests.faults.publishing.going_on import POINTS, done, prepare


def train() -> None:
    """Train as a command does."""
    retrain(get_use_case("books"), ["popular"], by="command")


def train_in_python() -> None:
    """Train as a script does."""
    train_model(get_use_case("books"), "popular", promote=True, by="script")


def die_in(training: Callable[[], object]) -> None:
    """Die with the version stored, before it is promoted."""
    POINTS["first one published"]()
    training()


WAYS: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    "watchdog": (train, look_after_runs),
    "repair": (train, lambda: reconcile("books")),
    "next training": (train, train),
    "of Python": (train_in_python, look_after_runs),
}


def settle(way: str) -> None:
    """Do it five minutes later."""
    TrainingRun.objects.filter(status="running").update(lease_until=timezone.now())
    _, settles = WAYS[way]
    settles()


def report(way: str) -> dict[str, object]:
    """Return what became of the killed run and of what it had published, and what is live."""
    run = TrainingRun.objects.filter(engine="popular").exclude(status="succeeded").latest("pk")
    version = ModelVersion.objects.get(training_run=run)
    live = live_release("books")
    names = [member.version.name for member in live.members.all()] if live else []
    return {
        "point": way,
        "run": [run.status, run.reason],
        "version": [version.status, version.reason],
        "is_live": version.name in names,
        "n_running": TrainingRun.objects.filter(status="running").count(),
    }


def main() -> None:
    """Kill, settle and print, each way."""
    prepare()
    for way, (training, _) in WAYS.items():
        if not os.WIFSIGNALED(done(lambda training=training: die_in(training))):
            raise AssertionError("The training was not killed.")
        before = list(ModelVersion.objects.filter(status="candidate").values_list("engine", flat=True))
        connections.close_all()
        done(lambda way=way: settle(way))
        print(json.dumps({"left": before, **report(way)}), flush=True)
        connections.close_all()


if __name__ == "__main__":
    main()
