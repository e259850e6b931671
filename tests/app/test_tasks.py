"""Celery's door, with a broker in this process's memory."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from recommender_app import tasks
from recommender_app.exceptions import TrainingError, UnknownUseCase
from recommender_app.models import ModelVersion, TrainingRun
from recommender_app.registry.runs import claim_run, request_run
from tests.app import odd_trainers, readings
from tests.app.processes import run_python, sqlite

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    "recommender.batch_shard",
    "recommender.dispatch",
    "recommender.drain_spool",
    "recommender.janitor",
    "recommender.ramp_experiments",
    "recommender.look_at_experiments",
    "recommender.roll_up",
    "recommender.sync",
    "recommender.train",
    "recommender.trim_log",
    "recommender.watchdog",
}


@pytest.fixture
def app():
    """The project's Celery application; its broker is this process's memory."""
    from backend.celery import app

    app.set_current()
    return app


@pytest.fixture
def site(settings, tmp_path):
    """A library to learn from, and popularity to learn with."""
    values = {"ARTIFACT_ROOT": tmp_path / "root", "TRAINERS": readings.only("popular"), "TRAINING_SCHEDULE": {}}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    readings.fill()
    return settings


def messages(app, queue: str) -> list[list]:
    """Take the messages of a queue; return the arguments of each."""
    found = []
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        while message := app.amqp.queues[queue](channel).get(no_ack=True):
            found.append(message.decode()[0])
    return found


def test_names_that_messages_hold_never_change(app):
    assert {name for name in app.tasks if name.startswith("recommender.")} == NAMES


def test_a_training_is_confirmed_late_and_comes_back_a_bounded_number_of_times():
    assert tasks.train.acks_late
    assert tasks.train.retry_on_worker_lost
    assert tasks.train.max_retries == 2
    assert not tasks.train.reject_on_worker_lost
    assert all(getattr(tasks, name.partition(".")[2]).ignore_result for name in NAMES)


@pytest.mark.django_db
def test_the_dispatcher_sends_each_waiting_run_once_to_the_training_queue(app, site):
    app.amqp.queues.select_add("recommender_training")
    messages(app, "recommender_training")
    run = request_run("books", "popular", requested_by="ann")
    assert tasks.dispatch.apply(throw=True).get() == "0 rescued, 0 due, 1 sent"
    assert tasks.dispatch.apply(throw=True).get() == "0 rescued, 0 due, 0 sent"
    assert messages(app, "recommender_training") == [[run.pk]]


@pytest.mark.django_db
def test_the_watchdog_sends_nothing(app, site):
    request_run("books", "popular", requested_by="ann")
    assert tasks.watchdog.apply(throw=True).get() == "0 rescued, 0 due, 0 sent"


@pytest.mark.django_db
def test_row_21_a_second_message_of_a_run_is_skipped(site):
    run = request_run("books", "popular", requested_by="ann")
    assert "books popular promoted" in tasks.train.apply((run.pk,), throw=True).get()
    assert "skipped" in tasks.train.apply((run.pk,), throw=True).get()
    assert "skipped" in tasks.train.apply((12345,), throw=True).get()
    run.refresh_from_db()
    assert (run.status, run.attempts, run.requested_by) == ("succeeded", 1, "ann")
    assert ModelVersion.objects.get().training_run == run


@pytest.mark.django_db
def test_a_training_that_fails_fails_the_task_and_its_row_says_why(site):
    site.RECOMMENDER = {**site.RECOMMENDER, "TRAINERS": readings.only(popular=f"{odd_trainers.MODULE}.Diverging")}
    run = request_run("books", "popular", requested_by="ann")
    with pytest.raises(TrainingError, match=r"It diverged\. Train again\."):
        tasks.train.apply((run.pk,), throw=True)
    run.refresh_from_db()
    assert (run.status, run.reason) == ("failed", "It diverged. Train again.")


@pytest.mark.django_db
def test_a_run_of_a_use_case_that_is_gone_fails(site):
    run = request_run("gone", "popular", requested_by="ann")
    with pytest.raises(UnknownUseCase, match="no use case 'gone'"):
        tasks.train.apply((run.pk,), throw=True)
    assert TrainingRun.objects.get().status == "failed"


@pytest.mark.django_db
def test_row_24_a_requested_run_that_is_interrupted_waits_again(site):
    site.RECOMMENDER = {**site.RECOMMENDER, "TRAINERS": readings.only(popular=f"{odd_trainers.MODULE}.Interrupted")}
    run = request_run("books", "popular", requested_by="ann")
    with pytest.raises(KeyboardInterrupt):
        tasks.train.apply((run.pk,), throw=True)
    run.refresh_from_db()
    assert (run.status, run.attempts, run.reason) == ("requested", 1, "Its process was told to stop.")
    assert claim_run(run)


def test_row_25_nothing_but_the_dispatcher_and_a_command_publishes():
    publishing = re.compile(r"\.(delay|delay_on_commit|apply_async|send_task)\(")
    files = [path for path in (ROOT / "recommender_app").rglob("*.py") if publishing.search(path.read_text())]
    assert {str(path.relative_to(ROOT)) for path in files} == {
        "recommender_app/tasks.py",
        "recommender_app/management/batch_queue.py",
    }


@pytest.mark.slow
def test_a_web_process_does_not_load_celery(tmp_path):
    code = "import sys; import backend.urls; print('celery' in sys.modules, 'kombu' in sys.modules)"
    assert run_python(tmp_path, code, sqlite(tmp_path / "db"), tmp_path).split() == ["False", "False"]


@pytest.mark.slow
def test_django_celery_beat_stores_the_schedule_and_sends_what_is_due(tmp_path):
    """The host's choice: the schedule in the database instead of a file."""
    pytest.importorskip("django_celery_beat")
    (tmp_path / "beat_settings.py").write_text(
        "from tests.settings import *\n"
        "INSTALLED_APPS = [*INSTALLED_APPS, 'django_celery_beat']\n"
        f"DATABASES = {{'default': {sqlite(tmp_path / 'db')!r}}}\n"
    )
    code = (
        "import django; django.setup()\n"
        "from django.core.management import call_command; call_command('migrate', verbosity=0)\n"
        "from backend.celery import app\n"
        "from django_celery_beat.schedulers import DatabaseScheduler\n"
        "DatabaseScheduler(app=app)\n"
        "from django_celery_beat.models import PeriodicTask\n"
        "print(*sorted(PeriodicTask.objects.filter(enabled=True).values_list('task', flat=True)))\n"
    )
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "DJANGO_SETTINGS_MODULE": "beat_settings", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    sent = {"recommender.dispatch", "recommender.drain_spool", "recommender.janitor", "recommender.trim_log"}
    sent.add("recommender.roll_up")
    assert sent <= set(done.stdout.split())
