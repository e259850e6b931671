"""Kills publishers and looks at what they leave: ``python -m tests.faults.publishing.killing points|random N [SEED]``.

Prints one line of JSON per kill. Publishers are forks of this process, which has no connection
open while it forks.
"""

# ruff: noqa: T201, E402  the output is the report; Django is set up before its models are imported

from __future__ import annotations

import django

django.setup()

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from recommender_app.artifacts.live_hint import read_live_hint
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.engines.popularity import PopularityEngine
from recommender_app.models import ModelVersion, Release, TrainingRun
from recommender_app.registry import retention
from recommender_app.registry.releases import live_release, promote
from recommender_app.registry.runs import start_run
from recommender_app.testing import make_dataset
from recommender_app.training import publishing
from recommender_app.training.janitor import clean_up
from recommender_app.training.reconcile import Options, reconcile
from recommender_app.training.retention import prune
from tests.faults.publishing.points import POINTS

DATASET = make_dataset()


def publish_and_promote() -> None:
    """Do what a training does once it has learned."""
    run = start_run("books", "popular", config={}, seed=1, requested_by="test")
    counts = np.arange(DATASET.n_items, 0, -1, dtype=np.float32)
    promote(publishing.publish(run, PopularityEngine(counts), DATASET, {}), by="test")


def in_a_fork(work: Callable[[], None]) -> int:
    """Begin work in another process and return its number."""
    connections.close_all()
    child = os.fork()
    if child:
        return child
    try:
        work()
    finally:
        os._exit(0)


def kill_at(point: str) -> None:
    """Have a publisher die at a point."""

    def work() -> None:
        POINTS[point]()
        publish_and_promote()

    _, status = os.waitpid(in_a_fork(work), 0)
    if not os.WIFSIGNALED(status):
        raise AssertionError(f"The publisher did not reach the point {point!r}.")


def kill_after(seconds: float) -> None:
    """Have a publisher die after some seconds, wherever it is."""
    child = in_a_fork(publish_and_promote)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def seen() -> dict[str, Any]:
    """Return what a web host and the registry see, every checksum compared."""
    store = ArtifactStore(settings.artifact_root)
    rows = set(ModelVersion.objects.filter(gone_at=None).values_list("number", flat=True))
    folders = store.versions("books", "popular")
    for name in folders:  # whatever has a name is whole
        store.open("books", "popular", name)
    live, hint = live_release("books"), read_live_hint(settings.artifact_root, "books")
    return {
        "rows": [f"popular_v{number}" for number in sorted(rows)],
        "folders": folders,
        "live": live and [live.number, live.members.get().version.name],
        "hint": hint and [hint.release, hint.versions["popular"]],
        "n_live": Release.objects.filter(status="live").count(),
        "running": TrainingRun.objects.filter(status="running").count(),
        "staging": len(list(settings.artifact_root.rglob(".*"))),
    }


def aftermath() -> dict[str, Any]:
    """Look, repair as the janitor does later, look again, and train again."""
    before = seen()
    TrainingRun.objects.filter(status="running").update(lease_until=timezone.now())  # five minutes later
    repairs = reconcile("books", Options(orphan_seconds=-1.0))  # a day later
    clean_up(-1.0)
    after = seen()
    second_look = reconcile("books", Options(orphan_seconds=-1.0))
    publish_and_promote()
    prune("books")
    report = {"before": before, "repairs": repairs, "after": after, "again": second_look, "next": seen()}
    connections.close_all()
    return report


def main(kind: str, n: int, seed: int) -> None:
    """Kill as told and print the reports."""
    call_command("migrate", verbosity=0)
    retention.YOUNG_SECONDS = -1.0  # hours pass between trainings
    took = 0.0
    for _ in range(3):
        began = time.perf_counter()
        publish_and_promote()
        took = time.perf_counter() - began
    rng = np.random.default_rng(seed)
    if kind == "points":
        for point in POINTS:
            kill_at(point)
            print(json.dumps({"point": point, **aftermath()}), flush=True)
        return
    for _ in range(n):
        seconds = float(rng.uniform(0, 1.2 * took))
        kill_after(seconds)
        print(json.dumps({"point": f"after {seconds:.4f} s", **aftermath()}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
