"""Asking and claiming at the same moment, on real databases: a process of its own, as for releases."""

from __future__ import annotations

import pytest

from tests.app.processes import run_on
from tests.app.test_registry_concurrency import N_AT_ONCE, at_once

PLAIN = "settings.DATABASES['default'].pop('OPTIONS')"


def ask(slot=""):
    from recommender_app.registry.runs import request_run

    return request_run("books", "popular", requested_by="test", slot=slot)


def claim(run):
    from recommender_app.models import TrainingRun
    from recommender_app.registry.runs import claim_run

    return claim_run(TrainingRun.objects.get(pk=run.pk))


def row_21_schedulers_at_once_ask_once():
    """Each is given the one run of the slot."""
    from recommender_app.models import TrainingRun

    results = at_once(*[lambda: ask("2026-W48")] * N_AT_ONCE)
    run = TrainingRun.objects.get(slot="2026-W48")
    assert results == [run] * N_AT_ONCE, results


def row_21_workers_at_once_claim_once():
    """Of one run, and of two runs of an engine."""
    from recommender_app.models import TrainingRun
    from recommender_app.registry.runs import finish_run

    first, second = ask("2026-W48"), ask("2026-W49")
    results = at_once(*[lambda: claim(first)] * (N_AT_ONCE // 2), *[lambda: claim(second)] * (N_AT_ONCE // 2))
    assert sorted(results) == [False] * (N_AT_ONCE - 1) + [True], results
    running = TrainingRun.objects.get(status="running")
    assert running.attempts == 1
    finish_run(running, "failed")
    TrainingRun.objects.update(status="failed")


def row_21_clicks_at_once_train_once():
    """Clicks that did not see each other are several requests; the first training fulfils them all."""
    from recommender_app.models import TrainingRun
    from recommender_app.registry.runs import finish_run

    clicked = {run.pk: run for run in at_once(*[ask] * N_AT_ONCE)}
    for run in clicked.values():
        if claim(run):
            run.refresh_from_db()
            finish_run(run, "succeeded")
    statuses = sorted(run.status for run in TrainingRun.objects.filter(pk__in=clicked))
    assert statuses == ["skipped"] * (len(clicked) - 1) + ["succeeded"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "database", ["sqlite", "sqlite_as_django_ships_it", pytest.param("postgres", marks=pytest.mark.services)]
)
def test_row_21_at_the_same_moment(database, request, tmp_path):
    url = f"sqlite:///{tmp_path / 'db'}"
    if database == "postgres":
        url = request.getfixturevalue("postgres_database")
    is_plain = database == "sqlite_as_django_ships_it"  # deferred transactions, no write-ahead log
    code = (
        "from django.conf import settings\n"
        f"{PLAIN if is_plain else ''}\n"
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('migrate', verbosity=0)\n"
        "from tests.app import test_runs_concurrency as tests\n"
        "tests.row_21_schedulers_at_once_ask_once()\n"
        "tests.row_21_workers_at_once_claim_once()\n"
        "tests.row_21_clicks_at_once_train_once()\n"
    )
    run_on(url, code)
