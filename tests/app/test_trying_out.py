"""A version is turned down before it goes live for what is its own fault, and for nothing else."""

from __future__ import annotations

import shutil

import pytest

from recommender_app.dataset.folder import read_dataset
from recommender_app.engines.ensemble import MEMBER_VERSIONS
from recommender_app.exceptions import TrainingError
from recommender_app.models import ModelVersion, TrainingRun
from recommender_app.registry import releases
from recommender_app.registry.runs import request_run
from recommender_app.training.lifecycle import Options, retrain
from recommender_app.training.requested import perform_run
from recommender_app.training.smoke import smoke
from recommender_app.usecases.site import get_use_case
from tests.app import readings
from tests.app.registered import live_names, rested
from tests.app.storages import FaultyStorage

pytestmark = pytest.mark.django_db
BUCKET = {"ARTIFACT_STORAGE": "tests.app.storages.FaultyStorage"}


class Died(BaseException):
    """The process is gone."""


@pytest.fixture(autouse=True)
def root(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(FaultyStorage, "root", tmp_path / "bucket")
    monkeypatch.setattr(FaultyStorage, "fault", None)
    trainers = readings.only("popular", "trending", "als", "ensemble")
    change(settings, ARTIFACT_ROOT=tmp_path / "root", N_THREADS=1, TRAINERS=trainers)
    readings.fill()
    return tmp_path / "root"


def change(settings, **values):
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}


def ask(engine="popular", slot="2026-11-25"):
    return request_run("books", engine, requested_by="schedule", slot=slot)


def train(*engines, **options):
    return retrain(get_use_case("books"), engines, by="ann", options=Options(force=True, **options))


def die_before_promotion(monkeypatch, run):
    """Publish what the run asks for, and leave it to another process."""

    def die(*_args, **_options):
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(releases, "promote_all", die)
        with pytest.raises(Died):
            perform_run(run.pk)
    assert not TrainingRun.objects.filter(status="running").exists()
    rested()


def version_of(engine, number):
    return ModelVersion.objects.get(engine=engine, number=number)


def status_of(run):
    run.refresh_from_db()
    return run.status


def test_another_host_fetches_what_it_goes_on_with(settings, tmp_path, monkeypatch):
    change(settings, **BUCKET)
    run = ask()
    die_before_promotion(monkeypatch, run)
    change(settings, ARTIFACT_ROOT=tmp_path / "other")
    assert "popular promoted" in perform_run(run.pk)
    assert live_names() == ["popular_v1"]
    assert (tmp_path / "other" / "models" / "books" / "popular" / "popular_v1").is_dir()


@pytest.mark.parametrize("values", [BUCKET, {}])
def test_what_another_host_cannot_have_now_waits_for_one_that_can(settings, tmp_path, monkeypatch, values):
    change(settings, **values)
    run = ask()
    die_before_promotion(monkeypatch, run)
    change(settings, ARTIFACT_ROOT=tmp_path / "other")
    monkeypatch.setattr(FaultyStorage, "fault", "refuse")
    with pytest.raises(TrainingError, match=r"There is no artifact folder|cannot be fetched: The storage refuses"):
        perform_run(run.pk)
    assert (status_of(run), version_of("popular", 1).status) == ("requested", "candidate")
    monkeypatch.setattr(FaultyStorage, "fault", None)
    change(settings, ARTIFACT_ROOT=tmp_path / "root")
    rested()
    assert "popular promoted" in perform_run(run.pk)


def test_a_damaged_dataset_is_no_reason_to_turn_down_what_has_learned_from_it(monkeypatch, root):
    run = ask()
    die_before_promotion(monkeypatch, run)
    for file in (root / "datasets" / "books" / version_of("popular", 1).dataset_fingerprint).glob("*.npy"):
        file.chmod(0o644)
        file.write_bytes(b"x")
    assert "popular promoted" in perform_run(run.pk)
    assert live_names() == ["popular_v1"]


@pytest.mark.parametrize("error", [ValueError("matmul: mismatch"), MemoryError(), OSError("I/O")])
def test_a_version_whose_engine_gives_up_is_turned_down(monkeypatch, error):
    run = ask()

    def give_up(*_args):
        raise error

    monkeypatch.setattr("recommender_app.training.smoke.OpenedArtifact.recommend", give_up)
    with pytest.raises(TrainingError, match=type(error).__name__):
        perform_run(run.pk)
    version = version_of("popular", 1)
    assert (status_of(run), version.status) == ("failed", "rejected")
    assert version.reason.startswith(type(error).__name__)


def test_a_version_that_is_damaged_itself_is_turned_down(monkeypatch, root):
    run = ask()
    die_before_promotion(monkeypatch, run)
    for file in (root / "models" / "books" / "popular" / "popular_v1").glob("*.npy"):
        file.chmod(0o644)
        file.write_bytes(b"x")
    with pytest.raises(TrainingError, match="popular_v1"):
        perform_run(run.pk)
    assert (status_of(run), version_of("popular", 1).status) == ("failed", "rejected")


@pytest.mark.parametrize("is_gone", [True, False])
def test_an_ensemble_is_tried_out_without_a_member_that_is_missing_or_damaged(root, is_gone):
    train("popular", "als", "ensemble")
    folder = root / "models" / "books" / "als" / "als_v1"
    if is_gone:
        shutil.rmtree(folder)
    else:
        (folder / "manifest.json").chmod(0o644)
        (folder / "manifest.json").write_text("{")
    assert "ensemble promoted" in perform_run(ask().pk)
    assert live_names() == ["als_v1", "ensemble_v2", "popular_v2"]


def test_an_ensemble_that_lacks_a_member_and_finds_nothing_is_not_to_blame(root, monkeypatch):
    dataset = read_dataset(train("popular", "als", "ensemble").dataset_path)
    ensemble = version_of("ensemble", 1)
    monkeypatch.setattr("recommender_app.training.smoke.OpenedArtifact.recommend", lambda *_args: [])
    with pytest.raises(TrainingError, match="recommends nothing"):
        smoke(ensemble, dataset)
    missing = next(key for key in ensemble.config[MEMBER_VERSIONS])
    shutil.rmtree(root / "models" / "books" / missing / f"{missing}_v1")
    assert smoke(ensemble, dataset) == 0
