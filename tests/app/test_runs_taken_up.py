"""What a run has published is not lost to what others do meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from recommender_app.exceptions import RegistryError, TrainingError
from recommender_app.models import ModelVersion, ReleaseChange, TrainingRun
from recommender_app.registry import releases
from recommender_app.registry.releases import promote
from recommender_app.registry.runs import begin_requested_run, claim_run, request_run, rescue_expired_runs, start_run
from recommender_app.registry.verdicts import reject_version
from recommender_app.training.lifecycle import retrain
from recommender_app.training.requested import perform_run
from recommender_app.usecases.site import get_use_case
from tests.app import readings
from tests.app.registered import candidate, live_names, rested

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


def statuses():
    return list(TrainingRun.objects.order_by("pk").values_list("engine", "status"))


def test_what_a_busy_database_refuses_is_promoted_by_whoever_claims_it_next(monkeypatch):
    readings.fill()
    run, other = ask("popular"), ask("trending")

    def busy(_release):
        raise OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(releases, "retire", busy)
        with pytest.raises(TrainingError, match="It stays a candidate: The database refused"):
            perform_run(run.pk)
    assert statuses() == [("popular", "requested"), ("trending", "requested")]
    rested()
    assert "popular promoted" in perform_run(run.pk)
    assert "trending promoted" in perform_run(other.pk)
    assert live_names() == ["popular_v1", "trending_v1"]
    assert ModelVersion.objects.count() == 2


def test_a_promotion_that_is_always_refused_ends(monkeypatch):
    readings.fill()
    run = ask("popular")

    def busy(_release):
        raise OperationalError("database is locked")

    monkeypatch.setattr(releases, "retire", busy)
    for _attempt in range(3):
        with pytest.raises(TrainingError, match="It stays a candidate"):
            perform_run(run.pk)
        rested()
    assert statuses() == [("popular", "failed")]


def before_promotion(monkeypatch, happens):
    real = releases.promote_all

    def promote_all(versions, **options):
        monkeypatch.setattr(releases, "promote_all", real)
        happens(versions)
        return real(versions, **options)

    monkeypatch.setattr(releases, "promote_all", promote_all)


def test_what_a_person_has_promoted_meanwhile_holds_nothing_back(monkeypatch):
    readings.fill()
    run = ask("popular")
    ask("trending")
    before_promotion(monkeypatch, lambda versions: promote(versions[0], by="ann"))
    assert "popular promoted, trending promoted" in perform_run(run.pk)
    assert statuses() == [("popular", "succeeded"), ("trending", "succeeded")]
    assert live_names() == ["popular_v1", "trending_v1"]


def test_a_person_who_has_promoted_all_of_it_makes_nothing_fail(monkeypatch):
    readings.fill()
    before_promotion(monkeypatch, lambda versions: promote(versions[0], by="ann"))
    summary = retrain(get_use_case("books"), ["popular"], by="beat")
    assert [str(result.ending) for result in summary.results] == ["promoted"]


def test_whoever_has_lost_a_run_on_the_way_promotes_nothing(monkeypatch):
    readings.fill()
    run = ask("popular")

    def freeze(_versions):
        TrainingRun.objects.update(lease_until=timezone.now() - timedelta(hours=1))
        rescue_expired_runs()

    before_promotion(monkeypatch, freeze)
    with pytest.raises(TrainingError, match="was given up before it ended"):
        perform_run(run.pk)
    assert ModelVersion.objects.get().status == "candidate"
    assert statuses() == [("popular", "requested")]
    assert "popular promoted" in perform_run(run.pk)


def test_a_run_that_waits_with_its_version_is_not_trained_again():
    """The ensemble's new fit takes up whatever waits, such as one whose process died after publishing."""
    readings.fill()
    waiting = ask("trending", slot="")
    version = candidate("trending")
    version.gate = {
        "passed": False,
        "outcome": "rejected",
        "reason": "",
        "checks": [],
        "dataset": {},
        "compared_with": "",
    }
    version.training_run, version.status = waiting, "rejected"
    version.save()
    TrainingRun.objects.filter(pk=waiting.pk).update(attempts=1)
    run = ask("popular")
    assert claim_run(run)
    summary = retrain(get_use_case("books"), ["trending"], by="beat", runs=[run])
    assert [each.model.version.name for each in summary.results if each.engine == "trending"] == ["trending_v1"]
    assert ModelVersion.objects.filter(engine="trending").count() == 1
