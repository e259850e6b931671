"""Kills trainings of a slot at random moments: ``python -m tests.faults.publishing.slots N SEED N_HOSTS``.

The work is what Celery does, ``perform_run``. Others go on with it afterwards, newest run first;
with two hosts they have another ARTIFACT_ROOT and take turns, what one has made reaches the other
through ARTIFACT_STORAGE. Prints one line of JSON per kill.
"""

# ruff: noqa: T201, E402  the output is the report; Django is set up before its models are imported

from __future__ import annotations

import django

django.setup()

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from django.conf import settings as django_settings
from django.db import connections
from django.test import override_settings
from django.utils import timezone

from recommender_app.artifacts.live_hint import read_live_hint
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.exceptions import TrainingError
from recommender_app.models import Release, TrainingRun
from recommender_app.registry import retention
from recommender_app.registry.releases import live_release
from recommender_app.registry.retention import present_versions
from recommender_app.registry.runs import request_run, requested_runs
from recommender_app.training.janitor import clean_up
from recommender_app.training.reconcile import Options, reconcile
from recommender_app.training.requested import perform_run
from recommender_app.training.retention import prune
from recommender_app.training.sync import sync_use_case
from recommender_app.training.watchdog import look_after_runs
from tests.faults.publishing.going_on import DAILY, done, prepare, seen
from tests.faults.publishing.killing import in_a_fork

ROUNDS = 6  # after so many nobody waits any more


@contextlib.contextmanager
def on_host(number: int) -> Iterator[None]:
    """Work with the artifacts of another host; number 0 is the one whose trainings are killed."""
    root = f"{django_settings.RECOMMENDER['ARTIFACT_ROOT']}{number or ''}"
    with override_settings(RECOMMENDER={**django_settings.RECOMMENDER, "ARTIFACT_ROOT": root}):
        yield


def train(slot: str) -> None:
    """Train what is due in a slot, as a worker does."""
    runs = [request_run("books", engine, requested_by="test", slot=slot) for engine in DAILY]
    if runs[0] is not None:
        perform_run(runs[0].pk)


def killed(slot: str, seconds: float) -> bool:
    """Have a training die after some seconds, wherever it is; return whether it had ended before."""
    child = in_a_fork(lambda: train(slot))
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return not os.WIFSIGNALED(os.waitpid(child, 0)[1])


def go_on(slot: str, number: int) -> None:
    """Do what a worker of a host does five minutes later, with what was asked for last at first."""
    TrainingRun.objects.filter(status="running").update(lease_until=timezone.now())
    look_after_runs()
    for engine in DAILY:  # the clock asks again; a slot that is known stays one
        request_run("books", engine, requested_by="test", slot=slot)
    with on_host(number):
        requested_runs().update(lease_until=timezone.now())  # they have rested
        for run in requested_runs().reverse():
            with contextlib.suppress(TrainingError):  # it was given back: the other host has the files
                perform_run(run.pk)


def tidy(number: int, n_hosts: int) -> None:
    """Do what janitors do: sync, repair and prune; a day later."""
    with on_host(number):
        if n_hosts > 1:
            sync_use_case("books")
        reconcile("books", Options(orphan_seconds=-1.0))
        clean_up(-1.0)
        prune("books")


def host(number: int) -> dict[str, Any]:
    """Return what a host sees once repaired, every checksum compared."""
    with on_host(number):
        store, live = ArtifactStore(settings.artifact_root), live_release("books")
        for version in present_versions("books"):
            if version.name in store.versions("books", version.engine):
                store.open("books", version.engine, version.name)
        hint = read_live_hint(settings.artifact_root, "books")
        members = [member.version for member in live.members.all()] if live else []
        return {
            "missing": [each.name for each in members if each.name not in store.versions("books", each.engine)],
            "strays": sorted(
                {name for engine in (*DAILY, "ensemble") for name in store.versions("books", engine)}
                - {version.name for version in present_versions("books")}
            ),
            "is_hinted": bool(live and hint and hint.release == live.number),
            "again": reconcile("books", Options(orphan_seconds=-1.0)),
            "staging": len(list(settings.artifact_root.rglob(".staging*"))),
        }


def aftermath(slot: str, n_before: int, n_hosts: int) -> dict[str, Any]:
    """Look, let others go on until nobody waits, repair, and look again."""
    left, n_rounds = seen(slot, n_before), 0
    connections.close_all()
    while n_rounds < ROUNDS and (n_rounds < n_hosts or seen(slot, n_before)["open"]):
        n_rounds += 1
        done(lambda number=n_rounds % n_hosts: go_on(slot, number))
    for number in range(n_hosts):
        done(lambda number=number: tidy(number, n_hosts))
    hosts = [host(number) for number in range(n_hosts)]
    n_live = Release.objects.filter(status="live").count()
    report = {"left": left, "after": seen(slot, n_before), "hosts": hosts, "n_live": n_live, "rounds": n_rounds}
    connections.close_all()
    return report


def main(n: int, seed: int, n_hosts: int) -> None:
    """Kill as told and print the reports."""
    retention.YOUNG_SECONDS = -1.0  # hours pass between trainings
    prepare()
    took, rng = 0.0, np.random.default_rng(seed)
    for rehearsal in ("first", "second"):  # the first one makes what the second finds on the disk
        began = time.perf_counter()
        done(lambda slot=rehearsal: train(slot))
        took = time.perf_counter() - began
    for number in range(n):
        slot, seconds = f"day-{number}", float(rng.uniform(0, 1.1 * took))
        n_before = Release.objects.count()
        has_ended = killed(slot, seconds)
        report = {"point": f"after {seconds:.3f} of {took:.3f} s", "has_ended": has_ended}
        print(json.dumps({**report, **aftermath(slot, n_before, n_hosts)}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
