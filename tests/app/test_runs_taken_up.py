"""What a run has published is not lost to what others do meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from recommender_app.exceptions import RegistryError
from recommender_app.models import ModelVersion, ReleaseChange, TrainingRun
from recommender_app.registry.releases import promote
from recommender_app.registry.runs import begin_requested_run, claim_run, request_run, start_run
from recommender_app.registry.verdicts import reject_version
from tests.app import readings
from tests.app.registered import candidate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    trainers = readings.only("popular", "trending")
    values = {"ARTIFACT_ROOT": tmp_path / "root", "N_THREADS": 1, "TRAINERS": trainers}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    return tmp_path / "root"


def ask(engine="popular", slot="2026-11-25"):
    return request_run("books", engine, requested_by="schedule", slot=slot)


def test_a_version_that_somebody_has_made_live_meanwhile_is_not_turned_down():
    version = candidate("popular")
    stale = ModelVersion.objects.get(pk=version.pk)
    promote(version, by="bob")
    reject_version(stale, "It answers nobody.", by="ann")
    assert ModelVersion.objects.get().status == "ready"
    assert [change.action for change in ReleaseChange.objects.all()] == ["promote"]


def test_what_the_gate_could_not_decide_is_forced_as_the_trail_says():
    version = candidate("popular")
    version.gate = {"passed": False, "outcome": "undecided", "reason": "Too little data."}
    version.save()
    promote(version, by="ann", force=True)
    assert ReleaseChange.objects.get().action == "force"


def test_a_command_that_trains_is_no_run_to_take_up_and_news_is_asked_for_beside_it():
    running = start_run("books", "ensemble", config={}, seed=0, requested_by="command")
    with pytest.raises(RegistryError, match="is being trained already"):
        begin_requested_run("books", "ensemble", requested_by="schedule")
    assert request_run("books", "ensemble", requested_by="schedule") == running
    waiting = request_run("books", "ensemble", requested_by="schedule", is_news=True)
    assert (waiting.status, waiting.pk != running.pk) == ("requested", True)


@pytest.mark.parametrize(("newer_is", "is_claimed"), [("rejected", True), ("ready", False)])
def test_a_run_that_has_published_is_overtaken_only_by_what_is_live(newer_is, is_claimed):
    first, second = ask(slot="w1"), ask(slot="w2")
    ModelVersion.objects.filter(pk=candidate("popular").pk).update(training_run=first)
    ModelVersion.objects.filter(pk=candidate("popular").pk).update(training_run=second, status=newer_is)
    later = timezone.now() + timedelta(hours=1)
    TrainingRun.objects.filter(pk=second.pk).update(status="succeeded", started_at=later)
    assert claim_run(first) is is_claimed
    assert first.status == ("running" if is_claimed else "skipped")
