"""An ensemble goes live beside the versions that its weights were fitted to, or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from recommender_app.engines.ensemble import MEMBER_VERSIONS
from recommender_app.exceptions import RegistryError, TrainingError
from recommender_app.models import ModelVersion, Release, TrainingRun
from recommender_app.registry import releases
from recommender_app.registry.releases import promote
from recommender_app.registry.runs import request_run, rescue_expired_runs
from recommender_app.training import lifecycle, run
from recommender_app.training.lifecycle import Options, retrain
from recommender_app.training.requested import perform_run
from recommender_app.training.verdict import Check, Outcome, Verdict
from recommender_app.usecases.site import get_use_case
from tests.app import readings
from tests.app.registered import live_names, rested

pytestmark = pytest.mark.django_db


class Died(BaseException):
    """The process is gone."""


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    trainers = readings.only("popular", "als", "ensemble")
    values = {"ARTIFACT_ROOT": tmp_path / "root", "N_THREADS": 1, "TRAINERS": trainers}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}
    readings.fill()


def train(*engines, **options):
    return retrain(get_use_case("books"), engines, by="ann", options=Options(**options))


def ask(engine):
    return request_run("books", engine, requested_by="schedule", slot="2026-11-25")


def fitted(number):
    return ModelVersion.objects.get(engine="ensemble", number=number).config[MEMBER_VERSIONS]


def statuses():
    return list(TrainingRun.objects.filter(requested_at__isnull=False).order_by("pk").values_list("engine", "status"))


def test_what_waits_for_a_persons_decision_is_no_member():
    train("popular", "als", "ensemble")
    train("als", promote=False, overrides={"factors": "3"})
    train("ensemble")
    assert fitted(2)["als"] == "als_v1"
    assert live_names() == ["als_v1", "ensemble_v2", "popular_v1"]


def test_a_member_that_the_gate_could_not_decide_on_is_not_counted(monkeypatch):
    train("popular", "als", "ensemble")
    real = run.judge

    def judge(use_case, engine, config, hold_out):
        verdict = real(use_case, engine, config, hold_out)
        undecided = Verdict((Check("users", Outcome.UNDECIDED, "too few"),), "als_v1", verdict.dataset)
        return undecided if engine == "als" else verdict

    monkeypatch.setattr(run, "judge", judge)
    train("als", "popular")
    assert fitted(2).items() <= {"als": "als_v1", "popular": "popular_v2"}.items()
    assert fitted(2)["als"] == "als_v1"
    assert live_names() == ["als_v1", "ensemble_v2", "popular_v2"]


def test_an_ensemble_waits_for_a_member_that_another_process_has_taken_over(monkeypatch):
    train("popular", "als", "ensemble")
    asked, real = ask("als"), lifecycle.ClaimedRuns.is_lost
    with monkeypatch.context() as patch:
        patch.setattr(lifecycle.ClaimedRuns, "is_lost", lambda self, engine: engine == "als" or real(self, engine))
        with pytest.raises(TrainingError, match="ensemble: It stays a candidate: it was fitted beside als_v2, which"):
            perform_run(asked.pk)
    assert live_names() == ["als_v1", "ensemble_v1", "popular_v1"]
    assert statuses()[1] == ("ensemble", "requested")
    promote(ModelVersion.objects.get(engine="als", number=2), by="another process")
    rested()
    assert "ensemble promoted" in perform_run(TrainingRun.objects.get(engine="ensemble", status="requested").pk)
    assert live_names() == ["als_v2", "ensemble_v2", "popular_v1"]


def test_an_ensemble_that_is_taken_up_before_its_member_waits_for_it(monkeypatch):
    train("popular", "als", "ensemble")
    asked = ask("als")

    def die(*_args, **_options):
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(releases, "promote_all", die)
        with pytest.raises(Died):
            perform_run(asked.pk)
    TrainingRun.objects.filter(status="running").update(lease_until=timezone.now() - timedelta(hours=1))
    rescue_expired_runs()
    rested()
    assert statuses() == [("als", "requested"), ("ensemble", "requested")]
    ensemble = TrainingRun.objects.get(engine="ensemble", status="requested")
    with pytest.raises(TrainingError, match="it was fitted beside als_v2"):
        perform_run(ensemble.pk)
    assert live_names() == ["als_v1", "ensemble_v1", "popular_v1"]
    assert "als promoted" in perform_run(asked.pk)
    rested()
    assert "ensemble promoted" in perform_run(ensemble.pk)
    assert live_names() == ["als_v2", "ensemble_v2", "popular_v1"]
    assert ModelVersion.objects.filter(engine="ensemble").count() == 2


def test_an_ensemble_of_candidates_is_not_promoted_without_them():
    train("popular", "als", promote=False)
    summary = train("ensemble")
    assert "It stays a candidate: it was fitted beside" in summary.results[0].reason
    assert not Release.objects.exists()


@pytest.mark.parametrize("force", [False, True])
def test_python_promotes_no_ensemble_without_its_members_either(force):
    train("popular", "als", promote=False)
    with pytest.raises(RegistryError, match="ensemble_v1: It stays a candidate: it was fitted beside"):
        run.train_model(get_use_case("books"), "ensemble", promote=True, force=force)
    version = ModelVersion.objects.get(engine="ensemble")
    assert (version.status, Release.objects.exists()) == ("candidate", False)
    train("popular", "als")
    assert run.train_model(get_use_case("books"), "ensemble", promote=True).release is not None
