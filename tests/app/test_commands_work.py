"""``recommender_work``: scheduled and requested trainings without a broker."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from recommender_app.models import Release, TrainingRun
from recommender_app.registry.runs import request_run
from tests.app import odd_trainers, readings

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def site(settings, tmp_path):
    """A library; popularity is due daily, trending is not."""
    values = {
        "ARTIFACT_ROOT": tmp_path / "root",
        "TRAINERS": readings.only("popular", "trending"),
        "TRAINING_SCHEDULE": {"popular": "daily"},
    }
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    readings.fill()
    return settings


def work(*arguments: str) -> str:
    out = StringIO()
    call_command("recommender_work", "--once", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def books_runs() -> list[tuple[str, str]]:
    runs = TrainingRun.objects.filter(use_case="books").order_by("pk")
    return [(run.engine, run.status) for run in runs]


@pytest.fixture
def only_books(monkeypatch):
    """The demo's use cases, which have no data here, are not due."""
    from recommender_app.training import requested
    from recommender_app.usecases.site import get_use_case

    monkeypatch.setattr(requested, "all_use_cases", lambda: [get_use_case("books")])


@pytest.mark.django_db
def test_it_keeps_order_as_the_janitor_does(site, only_books, tmp_path, caplog):
    work()
    hint = tmp_path / "root" / "LIVE" / "books"
    hint.unlink()
    staged = tmp_path / "root" / "models" / "books" / "popular" / ".staging-left"
    staged.mkdir()
    os.utime(staged, (0, 0))
    assert "the LIVE hint is missing or wrong: it names release 1 now" in work()
    assert "LIVE hint" not in caplog.text  # told once
    assert hint.exists()
    assert not staged.exists()
    assert "LIVE hint" not in work()


@pytest.mark.django_db
def test_what_is_due_and_what_was_asked_for_is_trained_and_served_once(site, only_books):
    request_run("books", "trending", requested_by="ann")
    told = work()
    assert books_runs() == [("trending", "succeeded"), ("popular", "succeeded")]
    assert "books popular promoted" in told
    assert Release.objects.get(use_case="books", status="live").versions.count() == 2
    assert work("--verbosity", "0") == ""
    assert TrainingRun.objects.filter(use_case="books").count() == 2


@pytest.mark.django_db
def test_one_that_fails_is_told_and_does_not_stop_the_others(site, only_books):
    site.RECOMMENDER = {
        **site.RECOMMENDER,
        "TRAINERS": readings.only("trending", popular=f"{odd_trainers.MODULE}.Diverging"),
    }
    request_run("books", "popular", requested_by="ann")
    request_run("books", "trending", requested_by="ann")
    with pytest.raises(CommandError, match="It diverged"):
        work()
    assert ("trending", "succeeded") in books_runs()
    assert ("popular", "failed") in books_runs()


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", ["0", "-1", "nan"])
def test_a_pause_that_cannot_be(seconds):
    with pytest.raises(CommandError, match="above 0"):
        call_command("recommender_work", "--poll", seconds)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_row_24_a_worker_that_is_told_to_stop_gives_its_training_back(tmp_path, number):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db'}",
        "STARTED": str(tmp_path / "started"),
        "OPENBLAS_NUM_THREADS": "1",
    }
    code = (
        "import django; django.setup()\n"
        "from django.conf import settings; from django.core.management import call_command, execute_from_command_line\n"
        f"settings.RECOMMENDER = {{**settings.RECOMMENDER, 'ARTIFACT_ROOT': {str(tmp_path / 'root')!r}, "
        f"'TRAINING_SCHEDULE': {{}}, 'TRAINERS': {readings.only(popular=f'{odd_trainers.MODULE}.Endless')}}}\n"
        "call_command('migrate', verbosity=0); call_command('migrate', run_syncdb=True, verbosity=0)\n"
        "from tests.app import readings; readings.fill()\n"
        "from recommender_app.registry.runs import request_run\n"
        "request_run('books', 'popular', requested_by='ann')\n"
        "execute_from_command_line(['manage.py', 'recommender_work', '--poll', '0.1'])\n"
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, env=environment, **pipes)
    until = time.monotonic() + 60
    while not (tmp_path / "started").exists() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(number)
    told, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert told.splitlines()[-1] == "Stopped."
    with sqlite3.connect(tmp_path / "db") as database:
        [row] = database.execute("SELECT status, attempts, reason FROM recommender_app_trainingrun").fetchall()
    assert row == ("requested", 1, "Its process was told to stop.")
