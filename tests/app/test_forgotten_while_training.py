"""A version that learned from somebody who is forgotten by now is found, however the training came to its data."""

import shutil
from datetime import timedelta
from time import sleep

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from recommender_app.models import Arm, Experiment, ForgottenUser, ModelVersion, Phase, TrainingRun
from recommender_app.registry import releases
from recommender_app.registry.releases import promote
from recommender_app.registry.runs import request_run, rescue_expired_runs
from recommender_app.registry.tombstones import bury
from recommender_app.training import run as training_run
from recommender_app.training.export import export_dataset
from recommender_app.training.forgotten import prune_forgotten, settle
from recommender_app.training.forgotten_versions import affected_versions
from recommender_app.training.lifecycle import Options, retrain
from recommender_app.training.requested import perform_run
from recommender_app.training.summary import Ending
from recommender_app.usecases.site import get_use_case
from tests.app import readings
from tests.app.registered import candidate, live_names
from tests.toyhost.models import Book, Reader

pytestmark = pytest.mark.django_db(transaction=True)  # publishing closes connections
A_MOMENT = 0.005  # the clock of SQLite counts milliseconds


class Died(BaseException):
    """The process is killed."""


@pytest.fixture(autouse=True)
def books(settings, tmp_path):
    settings.RECOMMENDER = {
        **settings.RECOMMENDER,
        "ARTIFACT_ROOT": tmp_path / "root",
        "N_THREADS": 1,
        "TRAINERS": readings.only("popular", "trending", "als"),
    }
    return readings.fill()


def forget_one() -> ForgottenUser:
    sleep(A_MOMENT)
    tombstone = bury(Reader, Reader.objects.first().pk, by="eve")
    sleep(A_MOMENT)
    return tombstone


def affected(tombstone) -> list[str]:
    return [version.name for version in affected_versions("books", tombstone.forgotten_at)]


def is_settled(tombstone) -> bool:
    settle()
    tombstone.refresh_from_db()
    return tombstone.versions_gone_at is not None


def test_one_export_for_many_engines_is_older_than_the_runs_of_the_later_ones():
    buried = []

    def begin(engine):
        if engine == "als":
            buried.append(forget_one())
            settle()  # the janitor comes by while nothing tells of the export

    retrain(get_use_case("books"), ["popular", "als"], by="ann", options=Options(force=True), begin=begin)
    (tombstone,) = buried
    assert affected(tombstone) == ["popular_v1", "als_v1"]
    assert not is_settled(tombstone)
    prune_forgotten(get_use_case("books"))
    asked = TrainingRun.objects.filter(requested_by="privacy", status="requested")
    assert sorted(asked.values_list("engine", flat=True)) == ["als", "popular"]


def test_a_run_that_is_taken_up_again_has_read_its_data_before(monkeypatch):
    run = request_run("books", "popular", requested_by="schedule", slot="2026-11-25")
    with monkeypatch.context() as killed:
        killed.setattr(releases, "promote_all", _die)
        killed.setattr("recommender_app.training.recording.finish_run", lambda *a: None)
        killed.setattr("recommender_app.training.recording.give_back_run", lambda *a, **k: None)
        with pytest.raises(Died):
            perform_run(run.pk)
    TrainingRun.objects.filter(status="running").update(lease_until=timezone.now() - timedelta(hours=1))
    rescue_expired_runs()
    began = TrainingRun.objects.get(pk=run.pk).started_at
    tombstone = forget_one()
    perform_run(run.pk)
    assert live_names() == ["popular_v1"]
    assert TrainingRun.objects.get(pk=run.pk).started_at == began
    assert affected(tombstone) == ["popular_v1"]
    assert not is_settled(tombstone)


def test_a_given_dataset_that_holds_somebody_who_is_forgotten_is_refused(tmp_path):
    shutil.copytree(export_dataset(get_use_case("books")).path, tmp_path / "old")
    forget_one()
    options = Options(force=True, dataset_path=tmp_path / "old")
    (result,) = retrain(get_use_case("books"), ["popular"], by="ann", options=options).results
    assert result.ending == Ending.FAILED
    assert "holds the id of somebody who is forgotten: delete it" in result.reason
    assert not ModelVersion.objects.exists()


def test_a_given_dataset_is_as_old_as_its_manifest_says(tmp_path):
    shutil.copytree(export_dataset(get_use_case("books")).path, tmp_path / "old")
    sleep(A_MOMENT)
    tombstone = bury(Reader, 10**9, by="eve")  # somebody who is not in it
    options = Options(force=True, dataset_path=tmp_path / "old")
    retrain(get_use_case("books"), ["popular"], by="ann", options=options)
    assert affected(tombstone) == ["popular_v1"]


def test_equal_data_that_are_exported_again_are_new():
    export_dataset(get_use_case("books"))
    sleep(A_MOMENT)
    tombstone = bury(Reader, 10**9, by="eve")
    sleep(A_MOMENT)
    retrain(get_use_case("books"), ["popular"], by="ann", options=Options(force=True))
    assert affected(tombstone) == []
    assert is_settled(tombstone)


def test_a_version_from_before_these_columns_began_with_its_run_or_when_it_was_made():
    old, orphan = candidate("popular"), candidate("trending")
    ModelVersion.objects.filter(pk=orphan.pk).update(training_run=None)
    sleep(A_MOMENT)
    ForgottenUser.objects.create(
        digest="0" * 32, user_model="toyhost.reader", key_digest="", forgotten_at=Now(), versions_due_at=Now()
    )
    assert affected(ForgottenUser.objects.get()) == [old.name, orphan.name]


def test_a_popular_list_that_a_training_brings_later_goes_with_the_next_janitor(books, monkeypatch):
    """Books stand for people who are recommended."""
    publish, person = training_run.publish, str(books[0].pk)

    def publish_later(*args, **kwargs):
        bury(Book, books[0].pk, by="eve")
        return publish(*args, **kwargs)

    monkeypatch.setattr(training_run, "publish", publish_later)
    retrain(get_use_case("books"), ["popular"], by="ann", options=Options(force=True))
    others = ModelVersion.objects.get().gate["dataset"]["popular"]
    assert person in others
    prune_forgotten(get_use_case("books"), dry_run=True)
    assert ModelVersion.objects.get().gate["dataset"]["popular"] == others
    prune_forgotten(get_use_case("books"))
    assert ModelVersion.objects.get().gate["dataset"]["popular"] == [each for each in others if each != person]


def test_what_serves_an_arm_waits_for_a_newer_version_as_what_is_live_does():
    for version in (candidate(), candidate(), candidate()):
        promote(version, by="ann")
    phase = Phase.objects.create(experiment=Experiment.objects.create(key="e", name="e", use_case="books"), number=1)
    Arm.objects.create(phase=phase, key="b", weight_bp=10_000, policy={"release": 1})
    tombstone = forget_one()
    assert affected(tombstone) == ["popular_v1", "popular_v2", "popular_v3"]
    assert prune_forgotten(get_use_case("books")) == []
    promote(candidate(), by="ann")
    gone = [each.name for each in prune_forgotten(get_use_case("books"))]
    assert gone == ["popular_v1", "popular_v2", "popular_v3"]


def _die(*args, **kwargs):
    raise Died
