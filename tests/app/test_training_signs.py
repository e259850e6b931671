"""Whether anybody trains is seen from the rows, in the health and in the admin."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from recommender_app.models import TrainingRun
from recommender_app.registry.runs import claim_run, request_run
from recommender_app.registry.training_signs import training_signs
from recommender_app.serving.health import health
from tests.app.test_admin import login, url

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def ask(engine="popular", ago=timedelta(), slot=""):
    run = request_run("books", engine, requested_by="test", slot=slot)
    TrainingRun.objects.filter(pk=run.pk).update(requested_at=timezone.now() - ago)
    run.refresh_from_db()
    return run


def test_a_site_where_nobody_has_asked_for_anything_has_no_problem():
    signs = training_signs()
    assert (signs.n_waiting, signs.waiting_since, signs.last_seen_at, signs.problems) == (0, None, None, ())


def test_a_run_that_waits_for_a_moment_is_no_problem():
    run = ask()
    signs = training_signs()
    assert (signs.n_waiting, signs.waiting_since, signs.problems) == (1, run.requested_at, ())


def test_a_run_that_waits_long_while_no_worker_was_ever_seen_is_a_problem():
    run = ask(ago=HOUR)
    (problem,) = training_signs().problems
    assert problem.startswith(f"run {run.pk} of books popular has waited for a training worker since ")
    assert "none was ever seen" in problem


def test_a_worker_that_is_busy_for_hours_is_seen_by_its_lease():
    assert claim_run(ask("als", ago=2 * HOUR))
    TrainingRun.objects.update(started_at=timezone.now() - 2 * HOUR)
    ask(ago=HOUR)
    assert training_signs().problems == ()
    TrainingRun.objects.filter(engine="als").update(lease_until=timezone.now() - HOUR)
    assert "none was seen since" in training_signs().problems[0]


def test_how_long_a_run_may_wait_is_a_setting(settings):
    ask(ago=HOUR)
    settings.RECOMMENDER = {**settings.RECOMMENDER, "WAITING_ALERT_SECONDS": 7200.0}
    assert training_signs().problems == ()


@pytest.mark.parametrize(("days", "is_stopped"), [(1.5, False), (3, True)])
def test_a_clock_that_has_stopped_is_a_problem(settings, days, is_stopped):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINING_SCHEDULE": {"popular": "daily", "als": "weekly"}}
    run = ask(slot="2026-11-24", ago=timedelta(days=days))
    TrainingRun.objects.filter(pk=run.pk).update(status="succeeded")
    problems = training_signs().problems
    assert ["no training was scheduled since" in problem for problem in problems] == [True] * is_stopped


def test_health_and_the_admin_say_so(client):
    ask(ago=HOUR)
    told = health([])
    assert told["status"] == "degraded"
    assert told["training"]["n_waiting"] == 1
    assert "has waited for a training worker" in told["problems"][0]
    login(client, superuser=True)
    assert "has waited for a training worker" in client.get(url("trainingrun", "changelist")).content.decode()
