"""Whatever happens in a run: its row says so, nothing is left behind, what is live stays live."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from recommender_app.exceptions import ArtifactError, RegistryError, TrainingError
from recommender_app.models import ModelVersion, TrainingRun
from recommender_app.registry.releases import promote
from recommender_app.training.heartbeat import beating
from recommender_app.training.run import train_model
from recommender_app.usecases.site import get_use_case
from tests.app import odd_trainers, readings
from tests.app.registered import candidate, live_names, start

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path / "root"}
    return tmp_path / "root"


def train_oddly(settings, trainer: str):
    paths = readings.only("trending", popular=f"{odd_trainers.MODULE}.{trainer}")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": paths}
    return train_model(get_use_case("books"), "popular", promote=True)


@pytest.mark.parametrize(
    ("trainer", "raised", "reason"),
    [
        ("Diverging", TrainingError, "It diverged. Train again."),
        ("Mistaken", ZeroDivisionError, "ZeroDivisionError: division by zero"),
        ("Interrupted", KeyboardInterrupt, "KeyboardInterrupt"),
        ("WithoutItsLibrary", TrainingError, "The trainer of popular misses a library (No module named 'implicit')"),
        ("NotANumber", TrainingError, "popular has learned NaN or infinity (counts)"),
    ],
)
def test_a_run_that_goes_wrong_says_why_and_changes_nothing(settings, root, trainer, raised, reason):
    readings.fill()
    promote(candidate(), by="ann")
    before = sorted(root.glob("models/**/*"))
    with pytest.raises(raised):
        train_oddly(settings, trainer)
    run = TrainingRun.objects.first()
    assert run.status == "failed"
    assert run.reason.startswith(reason)
    assert run.finished_at is not None
    assert sorted(root.glob("models/**/*")) == before
    assert live_names() == ["popular_v1"]
    assert ModelVersion.objects.count() == 1


def test_after_a_failure_the_next_run_starts_at_once(settings):
    readings.fill()
    with pytest.raises(ZeroDivisionError):
        train_oddly(settings, "Mistaken")
    assert train_oddly(settings, "OddTrainer").version.name == "popular_v1"


def test_an_engine_that_is_being_trained_is_not_trained_twice(settings):
    readings.fill()
    start("popular")
    with pytest.raises(RegistryError, match="popular of books is being trained already"):
        train_oddly(settings, "OddTrainer")
    assert TrainingRun.objects.count() == 1


def test_a_run_that_lost_its_lease_publishes_nothing(settings, root):
    readings.fill()
    with pytest.raises(RegistryError, match="was given up before it ended"):
        train_oddly(settings, "Overslept")
    newer, older = TrainingRun.objects.all()
    assert (newer.status, older.status) == ("running", "failed")
    assert older.reason == "Its process gave no sign of life any more."
    assert not ModelVersion.objects.exists()
    assert not list(root.glob("models/books/popular/*"))


def test_an_unwritable_root_is_found_before_anything_is_read_or_trained(settings, root):
    readings.fill()
    root.write_text("a file where the folder should be")
    with pytest.raises(ArtifactError) as raised:
        train_oddly(settings, "Mistaken")
    run = TrainingRun.objects.get()
    assert (run.status, run.reason) == ("failed", str(raised.value))
    assert "\n" not in str(raised.value)


@pytest.mark.django_db(transaction=True)
def test_a_long_run_keeps_its_lease():
    run = start()
    soon = timezone.now() + timedelta(seconds=2)
    TrainingRun.objects.filter(pk=run.pk).update(lease_until=soon)
    with beating(run, every_seconds=0.02):
        deadline = time.monotonic() + 20
        while TrainingRun.objects.get().lease_until == soon and time.monotonic() < deadline:
            time.sleep(0.02)
    assert TrainingRun.objects.get().lease_until > soon + timedelta(seconds=60)
