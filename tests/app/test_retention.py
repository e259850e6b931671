"""What is kept: live, the release to roll back to, pinned, the newest, and what is young."""

import io
import os
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from recommender_app.exceptions import RegistryError
from recommender_app.models import Arm, Experiment, ModelVersion, Phase, TrainingRun
from recommender_app.registry.releases import promote, roll_back
from recommender_app.training.retention import prune
from tests.app.registered import candidate, live_names, start, status_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path, "KEEP_VERSIONS": 2}
    return tmp_path


def candidates(n, engine="popular"):
    return [candidate(engine) for _ in range(n)]


def make_old():
    ModelVersion.objects.update(created_at=timezone.now() - timedelta(hours=2))


def folders(root, engine="popular"):
    return sorted(path.name for path in (root / "models" / "books" / engine).iterdir())


def names(pruned):
    return [each.name for each in pruned]


def test_the_newest_of_each_engine_are_kept_and_the_rows_of_the_others_stay_as_history(root):
    candidates(4)
    candidate("trending")
    make_old()
    assert names(prune("books")) == ["popular_v1", "popular_v2"]
    assert folders(root) == ["popular_v3", "popular_v4"]
    assert folders(root, "trending") == ["trending_v1"]
    oldest = ModelVersion.objects.get(engine="popular", number=1)
    assert oldest.gone_at is not None
    assert oldest.status == "retired"
    assert oldest.reason == "Its artifact was deleted: newer versions have taken its place."
    assert prune("books") == []


def test_live_and_the_release_to_roll_back_to_are_kept_whatever_is_newer(root):
    first, second, *_ = candidates(5)
    promote(first, by="ann")
    promote(second, by="ann")
    make_old()
    assert names(prune("books")) == ["popular_v3"]
    roll_back("books", by="ann")
    assert live_names() == ["popular_v1"]


def test_what_is_younger_than_an_hour_is_kept(root):
    candidates(4)
    assert prune("books") == []
    assert len(folders(root)) == 4


def test_what_the_environment_pins_is_kept(settings, root):
    versions = candidates(4)
    for version in versions:
        version.engine = "als"
        version.save()
    make_old()
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ALS_MODEL_PATH": "models/books/als/als_v1"}
    assert names(prune("books")) == ["als_v2"]


def test_a_rejected_version_stays_rejected(root):
    first, *_ = candidates(3)
    ModelVersion.objects.filter(pk=first.pk).update(status="rejected", reason="Worse than what is popular.")
    make_old()
    assert names(prune("books")) == ["popular_v1"]
    first.refresh_from_db()
    assert (first.status, first.reason) == ("rejected", "Worse than what is popular.")


def test_a_pruned_version_can_neither_be_promoted_nor_restored_and_says_so(root):
    first, second, third, *_ = candidates(5)
    for version in (first, second, third):
        promote(version, by="ann")
    make_old()
    assert names(prune("books")) == ["popular_v1"]
    first.refresh_from_db()
    with pytest.raises(RegistryError, match="books popular_v1 is history: its artifact is gone since 20"):
        promote(first, by="ann", force=True)
    with pytest.raises(RegistryError, match="books popular_v1 is history"):
        roll_back("books", to=1, by="ann")
    assert live_names() == ["popular_v3"]


def test_a_version_that_goes_live_in_the_meantime_is_not_pruned(root, monkeypatch):
    """The list is made again once the use case's releases are locked."""
    first, *_ = candidates(4)
    promote(candidate("trending"), by="ann")
    make_old()
    from recommender_app.registry import retention

    def somebody_is_faster(use_case_key):
        monkeypatch.undo()
        promote(first, by="ann")

    monkeypatch.setattr(retention, "wait_for_others", somebody_is_faster)
    assert names(prune("books")) == ["popular_v2"]
    assert status_of(first) == "ready"


def test_datasets_tell_about_people_so_only_the_newest_and_those_in_use_are_kept(root):
    parent = root / "datasets" / "books"
    for age, name in enumerate(["new", "newer", "old", "learned", "oldest", ".staging-now"]):
        (parent / name).mkdir(parents=True)
        (parent / name / "users.npy").write_bytes(b"1234")
        os.utime(parent / name, (0, timezone.now().timestamp() - 7200 - age))
    TrainingRun.objects.filter(pk=start().pk).update(dataset_fingerprint="learned")
    assert names(prune("books", dry_run=True)) == ["oldest", "old"]
    pruned = prune("books")
    assert [(each.kind, each.name, each.size) for each in pruned] == [("dataset", "oldest", 4), ("dataset", "old", 4)]
    assert sorted(path.name for path in parent.iterdir()) == [".staging-now", "learned", "new", "newer"]


def test_the_command_lists_first_and_deletes_then(root):
    candidates(3)
    make_old()
    out = io.StringIO()
    call_command("recommender_prune", "books", dry_run=True, stdout=out)
    assert "popular_v1" in out.getvalue()
    assert out.getvalue().endswith("0.00 MB would be deleted.\n")
    assert len(folders(root)) == 3
    call_command("recommender_prune", "books", stdout=out)
    assert len(folders(root)) == 2
    call_command("recommender_prune", "books", stdout=out)
    assert out.getvalue().endswith("There is nothing to delete.\n")


def test_a_folder_that_is_gone_already_is_no_problem(root):
    candidates(3)
    make_old()
    (root / "models" / "books" / "popular" / "popular_v1").rename(root / "elsewhere")
    assert names(prune("books")) == ["popular_v1"]


def test_the_command_says_how_much_is_only_too_young(root):
    candidates(3)
    for name in ("one", "two", "three"):
        (root / "datasets" / "books" / name).mkdir(parents=True)
    ModelVersion.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    out = io.StringIO()
    call_command("recommender_prune", "books", stdout=out)
    assert out.getvalue() == "There is nothing to delete. 2 are younger than an hour and stay for now.\n"


def test_what_an_arm_pins_is_kept_until_its_phase_has_ended(root):
    first, *others = candidates(3)
    promote(first, by="ann")
    for version in others:
        promote(version, by="ann")
    candidates(2)
    experiment = Experiment.objects.create(key="e", name="e", use_case="books")
    phase = Phase.objects.create(experiment=experiment, number=1)
    Arm.objects.create(phase=phase, key="pinned", weight_bp=5_000, policy={"release": 1})
    make_old()
    assert prune("books") == []
    Phase.objects.filter(pk=phase.pk).update(started_at=timezone.now(), ended_at=timezone.now())
    assert names(prune("books")) == ["popular_v1"]
