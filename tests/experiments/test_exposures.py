"""Assigned is not exposed: what counts is the first answer in the log, once, the same in all arms."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommender_app.experiments import exposures
from recommender_app.experiments.assigning import Unit, assign
from recommender_app.experiments.exposures import mark_exposed
from recommender_app.experiments.facts import Facts
from recommender_app.models import Assignment, RequestLog
from recommender_app.serving import request_log
from recommender_app.serving.service import recommend
from recommender_app.serving.spool.draining import drain
from recommender_app.usecases.site import get_use_case
from tests.experiments.making import make_phase, readers

pytestmark = pytest.mark.django_db


@pytest.fixture
def phase(books):
    return make_phase({"control": {}, "b": {"routes": [[0, "popular"]]}})


def exposed():
    return dict(Assignment.objects.exclude(first_exposed_at=None).values_list("unit_id", "first_exposed_at"))


def test_who_never_saw_a_list_is_assigned_and_not_exposed(phase):
    assign(get_use_case("books"), Unit("user", "7"), Facts(0))
    assert mark_exposed(phase) == 0
    assert exposed() == {}


def test_the_first_answer_counts_and_asking_again_changes_nothing(phase):
    seen = [next(readers(phase, arm)) for arm in ("control", "b")]
    firsts = {str(reader.pk): recommend(reader, "books", 2) for reader in seen}
    for reader in seen:
        recommend(reader, "books", 2)
    assert mark_exposed(phase) == 2
    log = RequestLog.objects.in_bulk([each.request_id for each in firsts.values()], field_name="request_id")
    assert exposed() == {unit: log[answer.request_id].created_at for unit, answer in firsts.items()}
    before = exposed()
    recommend(seen[0], "books", 2)
    assert mark_exposed(phase) == 0
    assert exposed() == before


def test_the_same_answer_five_times_is_one_exposure(phase):
    answer = recommend(next(readers(phase, "b")), "books", 2)
    for _ in range(4):
        request_log.write(answer)
    drain()
    assert RequestLog.objects.count() == 1
    assert mark_exposed(phase) == 1


def test_a_preview_exposes_nobody(phase):
    reader = next(readers(phase, "b"))
    recommend(reader, "books", 2, log=False)
    assert mark_exposed(phase) == 0


def test_answers_of_other_phases_and_without_an_arm_do_not_count(phase):
    reader = next(readers(phase, "b"))
    answer = recommend(reader, "books", 2)
    log = RequestLog.objects.filter(request_id=answer.request_id)
    for values in ({"experiment": "other"}, {"phase": 2}, {"experiment": None, "phase": None, "arm": None}):
        log.update(**values)
        assert mark_exposed(phase) == 0
    log.update(experiment="e", phase=1, arm="b")
    assert mark_exposed(phase) == 1


def test_units_are_looked_up_a_chunk_at_a_time(phase, monkeypatch):
    monkeypatch.setattr(exposures, "CHUNK", 10)
    arm, now = phase.arms.first(), timezone.now()
    row = {"phase": phase, "arm": arm, "enrol_bucket": 0, "arm_bucket": 0, "enrol_bp": 10_000}
    Assignment.objects.bulk_create(Assignment(unit_id=f"u{number}", **row) for number in range(35))
    answer = {"use_case": "books", "requested_limit": 1, "n_results": 1, "engine": "als", "experiment": "e", "phase": 1}
    RequestLog.objects.bulk_create(
        RequestLog(
            request_id=UUID(int=10 * number + place),
            user_id=f"u{number}",
            created_at=now + timedelta(minutes=number - place),
            **answer,
        )
        for number in range(35)
        for place in range(2)
    )
    with CaptureQueriesContext(connection) as found:
        assert mark_exposed(phase) == 35
    assert exposed() == {f"u{number}": now + timedelta(minutes=number - 1) for number in range(35)}
    assert len([each for each in found.captured_queries if RequestLog._meta.db_table in each["sql"]]) == 4
