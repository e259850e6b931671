"""A run that cannot be ended just now rests before the next attempt, longer each time, behind both doors."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from recommender_app import tasks
from recommender_app.models import TrainingRun
from recommender_app.registry import releases
from recommender_app.registry.pauses import LONGEST_SECONDS, pause_seconds
from recommender_app.registry.queue import due_runs, mark_sent, unsent_runs
from recommender_app.registry.runs import begin_requested_run, claim_run, give_back_run, request_run
from recommender_app.registry.training_signs import training_signs
from tests.app import readings
from tests.app.registered import live_names

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(settings, tmp_path):
    values = {"ARTIFACT_ROOT": tmp_path / "root", "TRAINERS": readings.only("popular"), "TRAINING_SCHEDULE": {}}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    readings.fill()


def ask():
    return request_run("books", "popular", requested_by="ann")


def rests(run) -> bool:
    """Tell whether neither door begins the run now; both agree."""
    is_due = run in due_runs()
    assert is_due == (run in unsent_runs())
    return not is_due


def seconds_left(run) -> float:
    return (run.lease_until - timezone.now()).total_seconds()


def wake(run):
    TrainingRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_the_pause_grows_and_has_an_end():
    assert [pause_seconds(attempts) for attempts in (1, 2, 3, 30)] == [60, 600, LONGEST_SECONDS, LONGEST_SECONDS]


def test_a_run_that_is_given_back_rests_longer_after_each_attempt():
    run = ask()
    assert not rests(run)
    for shortest, longest in ((50, 60), (590, 600)):
        assert claim_run(run)
        assert give_back_run(run, "The database is busy.", rests=True)
        assert rests(run)
        assert shortest < seconds_left(run) <= longest
        wake(run)
        assert not rests(run)
    assert claim_run(run)
    assert give_back_run(run, "The database is busy.", rests=True)
    assert (run.status, run.lease_until) == ("failed", None)


def test_a_message_that_comes_too_early_does_not_begin_a_run_that_rests(site):
    run = ask()
    assert claim_run(run)
    assert give_back_run(run, "The database is busy.", rests=True)
    assert "nothing to do" in tasks.train.apply((run.pk,)).get()
    run.refresh_from_db()
    assert (run.status, run.attempts, run.reason) == ("requested", 1, "The database is busy.")
    wake(run)
    assert "popular promoted" in tasks.train.apply((run.pk,)).get()


def test_news_wakes_a_run_that_rests():
    run = ask()
    assert claim_run(run)
    assert give_back_run(run, "Its members are not live yet.", rests=True)
    assert begin_requested_run("books", "popular", requested_by="ann").pk == run.pk


def test_the_message_of_the_next_attempt_may_begin_it_at_once():
    run = ask()
    assert claim_run(run)
    assert give_back_run(run, "The database is busy.", rests=True)
    wake(run)
    assert mark_sent(run)
    assert claim_run(run)


def test_a_process_that_was_told_to_stop_leaves_a_run_that_does_not_rest():
    run = ask()
    assert claim_run(run)
    assert give_back_run(run, "told to stop")
    assert not rests(run)


def test_a_message_on_its_way_keeps_nobody_else_from_a_run_that_was_never_tried():
    run = ask()
    assert mark_sent(run)
    assert list(due_runs()) == [run]
    assert not unsent_runs()


def test_a_run_that_rests_is_no_sign_of_a_missing_worker():
    run = ask()
    assert claim_run(run)
    long_ago = timezone.now() - timedelta(hours=5)
    TrainingRun.objects.update(requested_at=long_ago, started_at=long_ago)
    assert give_back_run(run, "The database is busy.", rests=True)
    TrainingRun.objects.update(finished_at=long_ago)
    signs = training_signs()
    assert (signs.n_waiting, signs.problems) == (1, ())
    wake(run)
    assert len(training_signs().problems) == 1


def refuse(monkeypatch):
    def busy(_release):
        raise OperationalError("database is locked")

    monkeypatch.setattr(releases, "retire", busy)


def work() -> str:
    out = StringIO()
    call_command("recommender_work", "--once", stdout=out, stderr=out)
    return out.getvalue()


def test_neither_door_tries_again_what_was_refused_a_moment_ago(site, monkeypatch):
    run = ask()
    with monkeypatch.context() as patch:
        refuse(patch)
        with pytest.raises(CommandError, match="database is locked"):
            work()
    work()
    assert tasks.dispatch.apply(throw=True).get() == "0 rescued, 0 due, 0 sent"
    run.refresh_from_db()
    assert (run.status, run.attempts) == ("requested", 1)
    wake(run)
    assert "popular promoted" in work()
    assert live_names() == ["popular_v1"]


class Away:
    """A database that refuses the first statements."""

    def __init__(self, n_refusals: int) -> None:
        self.n_left, self.n_refused = n_refusals, 0

    def __call__(self, execute, sql, params, many, context):
        if self.n_left > 0:
            self.n_left -= 1
            self.n_refused += 1
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)


def test_a_message_that_finds_no_database_comes_back(site):
    run = ask()
    assert mark_sent(run)
    away = Away(3)
    with connection.execute_wrapper(away):
        assert "popular promoted" in tasks.train.apply((run.pk,)).get()
    run.refresh_from_db()
    assert (away.n_refused, run.status, run.attempts) == (3, "succeeded", 1)


def test_a_message_does_not_come_back_for_ever(site):
    run = ask()
    away = Away(1000)
    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        tasks.train.apply((run.pk,)).get()
    assert away.n_refused == 1 + tasks.AWAY_RETRIES
