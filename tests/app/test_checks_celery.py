"""Checks of the Celery settings: good ones pass, each mistake has its number."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks

from recommender_app import checks
from recommender_app.checks.celery import celery_problems
from tests.app.declarations import short_ids


@pytest.fixture
def project(settings):
    """The host's own settings, with Redis."""
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    return settings


def found():
    return short_ids(celery_problems())


def visible_for(settings, broker, results, app):
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": broker}
    settings.CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"visibility_timeout": results}
    settings.CELERY_VISIBILITY_TIMEOUT = app


def test_the_settings_of_this_project_are_good(project):
    assert found() == []


def test_a_project_without_celery_is_not_looked_at(settings):
    del settings.CELERY_BROKER_URL
    settings.CELERY_ACCEPT_CONTENT = ["pickle"]
    assert found() == []


def test_the_three_places_of_the_visibility_timeout_must_agree(project):
    visible_for(project, 9000, 8000, 9000)
    assert found() == ["E070"]
    visible_for(project, 9000, 9000, None)
    assert found() == ["E070", "E071"]  # the default of an hour is the shortest


def test_row_23_a_visibility_timeout_shorter_than_a_task_is_an_error(project):
    visible_for(project, 4950, 4950, 4950)
    assert found() == ["E071"]
    visible_for(project, 4951, 4951, 4951)
    assert found() == []
    project.CELERY_BROKER_URL = "amqp://127.0.0.1:1"
    visible_for(project, 1, 2, 3)  # RabbitMQ has none
    assert found() == []


def test_who_follows_the_hint_on_time_limits_needs_no_second_one(project):
    visible_for(project, None, None, None)
    project.CELERY_TASK_TIME_LIMIT = None
    (told,) = celery_problems()
    assert "CELERY_TASK_TIME_LIMIT = 3300 and CELERY_TASK_SOFT_TIME_LIMIT = 3000" in told.hint
    assert 'CELERY_VISIBILITY_TIMEOUT = 7200, and "visibility_timeout": 7200 in ' in told.hint
    project.CELERY_TASK_TIME_LIMIT, project.CELERY_TASK_SOFT_TIME_LIMIT = 3300, 3000
    assert {each.hint.split("Set ")[1].split(",")[0] for each in celery_problems()} == {
        "CELERY_VISIBILITY_TIMEOUT = 7200"
    }
    visible_for(project, 7200, 7200, 7200)
    assert found() == []


@pytest.mark.parametrize(
    ("name", "value", "ids"),
    [
        ("TASK_TIME_LIMIT", None, ["W072"]),
        ("TASK_SOFT_TIME_LIMIT", None, ["W072"]),
        ("TASK_SOFT_TIME_LIMIT", 3300, ["W072"]),
        ("TASK_REJECT_ON_WORKER_LOST", True, ["E073"]),
        ("TASK_ACKS_ON_TIMEOUT", False, ["E073"]),
        ("ACCEPT_CONTENT", ["json", "pickle"], ["E074"]),
        ("ACCEPT_CONTENT", ["application/x-python-serialize", "json"], ["E074"]),
        ("TASK_SERIALIZER", "msgpack", ["E075"]),
        ("RESULT_BACKEND", "redis://127.0.0.1:1/1", []),  # its results are ignored
        ("TASK_ROUTES", {}, ["W077"]),
        ("TASK_ROUTES", {"recommender.*": "recommender"}, ["W077"]),
        ("TASK_ROUTES", {"recommender.train": "slow"}, []),
        ("TASK_ROUTES", ["a.router"], []),
        ("ENABLE_UTC", False, ["W078"]),
        ("TIMEZONE", "Europe/Berlin", ["W078"]),
        ("WORKER_PREFETCH_MULTIPLIER", 4, ["W079"]),
    ],
)
def test_each_mistake_has_its_number(project, name, value, ids):
    setattr(project, f"CELERY_{name}", value)
    assert found() == ids


def test_results_that_somebody_waits_for(project):
    project.CELERY_RESULT_BACKEND = "redis://127.0.0.1:1/1"
    project.CELERY_TASK_IGNORE_RESULT = False
    assert found() == ["W076"]


def test_spawned_children_need_time_to_start(project):
    project.CELERY_WORKER_POOL_START_METHOD = "spawn"
    assert found() == []
    project.CELERY_WORKER_PROC_ALIVE_TIMEOUT = 4.0
    assert found() == ["W080"]
    project.CELERY_WORKER_POOL_START_METHOD = "fork"
    assert found() == []


def test_local_time(project):
    project.USE_TZ = False
    assert found() == ["W078"]


def test_they_are_part_of_manage_py_check(project):
    project.CELERY_ACCEPT_CONTENT = ["pickle"]
    assert "recommender_app.E074" in [problem.id for problem in run_checks(tags=[checks.TAG])]
