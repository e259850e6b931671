"""Folders without a row, such as those of a backup, become candidates where that is right."""

import os
import shutil

import pytest
from django.utils import timezone

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.exceptions import RegistryError
from recommender_app.models import ForgottenUser, ModelVersion, TrainingRun
from recommender_app.registry.releases import promote
from recommender_app.registry.tombstones import bury
from recommender_app.training.reconcile import Options, reconcile
from tests.app.registered import BOOKS, ENGINES, candidate, live_names, start
from tests.core.artifact_toys import edit_manifest
from tests.toyhost.models import Book, Reader

pytestmark = pytest.mark.django_db
DATA_AS_OF = "2020-05-01T12:00:00+00:00"


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path}
    return tmp_path


@pytest.fixture
def two_releases(django_capture_on_commit_callbacks):
    """popular_v1 was live, popular_v2 is."""
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            promote(candidate(), by="ann")
    assert reconcile("books") == []


def folder_of(root, name, engine="popular"):
    return root / "models" / "books" / engine / name


def orphan(root, name="popular_v9", hours=25):
    """Publish without a row, hours ago."""
    ArtifactStore(root).publish("books", name, ENGINES["popular"], BOOKS, metrics={"note": "kept"}, seed=7)
    then = timezone.now().timestamp() - hours * 3600
    os.utime(folder_of(root, name), (then, then))


def test_a_folder_without_a_row_can_be_adopted(root, two_releases):
    orphan(root)
    assert reconcile("books", Options(adopt=True)) == ["books: popular_v9 has no row: it is a candidate now"]
    version = ModelVersion.objects.get(number=9)
    assert (version.status, version.metrics, version.seed) == ("candidate", {"note": "kept"}, 7)
    promote(version, by="ann")
    assert live_names() == ["popular_v9"]


def test_a_lost_version_that_was_restored_can_be_adopted_again(root, two_releases):
    candidate()
    folder_of(root, "popular_v3").rename(root / "backup")
    reconcile("books")
    (root / "backup").rename(folder_of(root, "popular_v3"))
    assert reconcile("books") == [], "it is young: somebody has just restored it"
    assert reconcile("books", Options(adopt=True)) == ["books: popular_v3 has no row: it is a candidate now"]
    promote(ModelVersion.objects.get(number=3), by="ann")


def lose_and_restore(root, name):
    shutil.copytree(folder_of(root, name), root / "backup")
    shutil.rmtree(folder_of(root, name))
    reconcile("books")
    (root / "backup").rename(folder_of(root, name))


@pytest.mark.parametrize("status", ["rejected", "candidate"])  # the latter was forced once
def test_what_the_gate_has_turned_down_stays_so_when_it_is_restored(root, two_releases, status):
    gate = {"passed": False, "outcome": "rejected", "reason": "It is worse."}
    ModelVersion.objects.filter(pk=candidate().pk).update(status=status, reason="It is worse.", gate=gate)
    lose_and_restore(root, "popular_v3")
    assert ModelVersion.objects.get(number=3).gone_at is not None
    assert reconcile("books", Options(adopt=True)) == ["books: popular_v3 has no row: it is rejected, as before"]
    version = ModelVersion.objects.get(number=3)
    assert (version.status, version.reason, version.gone_at) == ("rejected", "It is worse.", None)
    with pytest.raises(RegistryError):
        promote(version, by="ann")


@pytest.mark.parametrize("model", [Reader, Book])
def test_what_is_older_than_a_tombstone_of_its_use_case_is_not_adopted(root, two_releases, model):
    orphan(root)
    bury(model, 1, by="eve")
    (line,) = reconcile("books", Options(adopt=True))
    assert line.startswith("books: popular_v9 has no row and cannot be adopted: it may have learned from somebody who")
    assert line.endswith("UTC: delete its folder and train again.")
    assert not ModelVersion.objects.filter(number=9).exists()


def test_what_is_adopted_is_as_old_as_the_data_of_its_manifest(root, two_releases):
    bury(Reader, 1, by="eve")
    orphan(root)
    edit_manifest(folder_of(root, "popular_v9"), data_as_of=DATA_AS_OF)
    assert "has no row and cannot be adopted: it may have learned" in reconcile("books", Options(adopt=True))[0]
    ForgottenUser.objects.all().delete()
    reconcile("books", Options(adopt=True))
    assert ModelVersion.objects.get(number=9).data_read_at.isoformat() == DATA_AS_OF


def test_what_is_being_published_or_damaged_is_not_adopted(root, two_releases):
    orphan(root)
    run = start()
    assert "is being trained, ask again" in reconcile("books", Options(adopt=True))[0]
    TrainingRun.objects.filter(pk=run.pk).update(status="failed")
    (folder_of(root, "popular_v9") / "counts.npy").write_bytes(b"")
    assert "cannot be adopted: popular_v9: counts.npy has 0 bytes" in reconcile("books", Options(adopt=True))[0]
    assert ModelVersion.objects.count() == 2
