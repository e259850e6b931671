"""Rows, folders and LIVE hints that disagree, and what is done about it."""

import io
import json
import os
import shutil
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from recommender_app.artifacts.live_hint import read_live_hint
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.exceptions import ArtifactError
from recommender_app.models import ModelVersion, ReleaseChange, TrainingRun
from recommender_app.registry import storage
from recommender_app.registry.releases import promote, roll_back
from recommender_app.tasks import janitor
from recommender_app.training.janitor import keep_order
from recommender_app.training.reconcile import Options, reconcile
from tests.app.registered import BOOKS, ENGINES, candidate, live_names, start
from tests.app.storages import FaultyStorage
from tests.core.artifact_toys import edit_manifest

pytestmark = pytest.mark.django_db


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


def hint_of(root):
    hint = read_live_hint(root, "books")
    return hint and (hint.release, dict(hint.versions))


def test_a_row_without_a_folder_becomes_history(root, two_releases):
    candidate()
    shutil.rmtree(folder_of(root, "popular_v3"))
    assert reconcile("books") == ["books: popular_v3 has no folder: its row is history now"]
    version = ModelVersion.objects.get(number=3)
    assert (version.status, version.reason) == ("retired", "Its artifact was not found any more.")
    assert version.gone_at is not None
    assert reconcile("books") == []


def test_a_live_release_without_its_folder_is_rolled_back(root, two_releases):
    shutil.rmtree(folder_of(root, "popular_v2"))
    lines = reconcile("books")
    assert len(lines) == 2
    assert lines[0].startswith("books: books release 2 does not open (There is no artifact folder popular_v2")
    assert lines[0].endswith("rolled back to release 1")
    assert live_names() == ["popular_v1"]
    assert hint_of(root) == (1, {"popular": "popular_v1"})
    change = ReleaseChange.objects.first()
    assert (change.action, change.by, change.release) == ("roll_back", "reconcile", 1)
    assert ModelVersion.objects.get(number=2).gone_at is not None
    assert reconcile("books") == []


def test_a_live_release_that_is_damaged_is_rolled_back_to_the_newest_that_opens(root, two_releases):
    promote(candidate(), by="ann")
    for name in ("popular_v2", "popular_v3"):
        path = folder_of(root, name) / "counts.npy"
        path.write_bytes(path.read_bytes()[:-1])
    assert "rolled back to release 1" in reconcile("books")[0]
    assert live_names() == ["popular_v1"]


def test_where_nothing_opens_the_live_release_stays(root):
    promote(candidate(), by="ann")
    path = folder_of(root, "popular_v1") / "counts.npy"
    path.write_bytes(b"")
    assert reconcile("books")[0].endswith("and no release before it does: train again")
    assert live_names() == ["popular_v1"]


def test_a_disk_that_is_not_mounted_is_no_reason_to_give_up_everything(root, two_releases):
    (root / "models").rename(root / "elsewhere")
    with pytest.raises(ArtifactError, match=r"None of the 2 artifacts of books is in .*: is it mounted"):
        reconcile("books")
    assert live_names() == ["popular_v2"]
    assert not ModelVersion.objects.exclude(gone_at=None).exists()


def test_a_folder_without_a_row_is_deleted_after_a_day(root, two_releases):
    orphan(root, "popular_v8", hours=23)
    orphan(root, "popular_v9", hours=25)
    assert reconcile("books", Options(dry_run=True)) == ["books: popular_v9 has no row: its folder is deleted"]
    assert folder_of(root, "popular_v9").exists()
    assert reconcile("books") == ["books: popular_v9 has no row: its folder is deleted"]
    assert not folder_of(root, "popular_v9").exists()
    assert folder_of(root, "popular_v8").exists()


@pytest.mark.parametrize("text", [None, "", "garbage", '{"release": 1, "versions": {"popular": "popular_v1"}}', "[]"])
def test_a_hint_that_is_missing_or_wrong_is_written_again(root, two_releases, text):
    hint = root / "LIVE" / "books"
    hint.unlink() if text is None else hint.write_text(text)
    assert reconcile("books") == ["books: the LIVE hint is missing or wrong: it names release 2 now"]
    assert hint_of(root) == (2, {"popular": "popular_v2"})


def test_a_hint_of_a_use_case_without_a_release_is_deleted(root):
    (root / "LIVE").mkdir()
    (root / "LIVE" / "books").write_text(json.dumps({"release": 4, "versions": {}}))
    assert reconcile("books") == ["books: nothing is live: the LIVE hint is deleted"]
    assert not (root / "LIVE" / "books").exists()


def test_a_run_whose_process_died_is_given_up(root):
    run = start()
    TrainingRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert reconcile("books") == [f"books: run {run.pk} of popular has died: it is asked for again, or failed"]
    run.refresh_from_db()
    assert run.status == "failed"
    assert start().status == "running"


def test_a_dry_run_tells_everything_and_changes_nothing(root, two_releases):
    candidate()
    shutil.rmtree(folder_of(root, "popular_v3"))
    (folder_of(root, "popular_v2") / "manifest.json").unlink()
    (root / "LIVE" / "books").write_text("garbage")
    orphan(root)
    out = io.StringIO()
    call_command("recommender_reconcile", "books", dry_run=True, stdout=out)
    told = out.getvalue().splitlines()
    assert len(told) == 6
    assert told[0] == "Without --dry-run, this would be done:"
    assert told[-1] == "Nothing was changed."
    assert live_names() == ["popular_v2"]
    assert folder_of(root, "popular_v9").exists()
    assert (root / "LIVE" / "books").read_text() == "garbage"
    call_command("recommender_reconcile", "books", stdout=out)
    call_command("recommender_reconcile", "books", stdout=out)
    assert out.getvalue().endswith("Rows, folders and LIVE hints agree.\n")
    assert live_names() == ["popular_v1"]


def test_the_janitor_repairs_and_prunes_and_one_use_case_does_not_hold_up_the_others(root, two_releases, caplog):
    (root / "LIVE" / "books").unlink()
    (root / "models" / "books" / "popular" / ".staging-killed").mkdir()
    os.utime(root / "models" / "books" / "popular" / ".staging-killed", (0, 0))
    assert keep_order() == ["books: the LIVE hint is missing or wrong: it names release 2 now"]
    assert sorted(path.name for path in (root / "models" / "books" / "popular").iterdir()) == [
        "popular_v1",
        "popular_v2",
    ]
    (root / "models").rename(root / "elsewhere")
    assert keep_order() == []
    assert "books is not in order: None of the 2 artifacts of books" in caplog.text


def test_celerys_janitor_logs_what_it_has_repaired(root, two_releases, caplog):
    (root / "LIVE" / "books").unlink()
    janitor()
    assert caplog.text.count("books: the LIVE hint is missing or wrong: it names release 2 now") == 1


def test_what_newer_code_has_published_is_not_rolled_back_by_older_code(root, two_releases):
    edit_manifest(folder_of(root, "popular_v2"), format_version=99)
    assert reconcile("books") == []
    assert live_names() == ["popular_v2"]


def test_what_only_other_hosts_have_is_not_lost_and_a_storage_that_is_down_is_no_reason_to_roll_back(
    settings, root, two_releases, tmp_path, monkeypatch
):
    monkeypatch.setattr(FaultyStorage, "root", tmp_path / "bucket")
    monkeypatch.setattr(FaultyStorage, "fault", None)
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_STORAGE": "tests.app.storages.FaultyStorage"}
    assert storage.store("books", "popular", "popular_v2")
    shutil.rmtree(folder_of(root, "popular_v2"))
    assert reconcile("books") == []
    monkeypatch.setattr(FaultyStorage, "exists", FaultyStorage.refuse)
    with pytest.raises(ArtifactError, match="The storage refuses"):
        reconcile("books")
    assert live_names() == ["popular_v2"]
    assert not ModelVersion.objects.exclude(gone_at=None).exists()


def test_what_another_host_is_still_storing_is_not_lost(settings, root, two_releases, tmp_path, monkeypatch):
    monkeypatch.setattr(FaultyStorage, "root", tmp_path / "bucket")
    monkeypatch.setattr(FaultyStorage, "fault", None)
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_STORAGE": "tests.app.storages.FaultyStorage"}
    version = candidate()
    shutil.rmtree(folder_of(root, "popular_v3"))
    assert reconcile("books") == []
    ModelVersion.objects.filter(pk=version.pk).update(created_at=timezone.now() - timedelta(hours=25))
    assert reconcile("books") == ["books: popular_v3 has no folder: its row is history now"]


def test_what_a_run_that_goes_on_has_published_is_not_lost_however_old_it_is(
    settings, root, two_releases, tmp_path, monkeypatch
):
    monkeypatch.setattr(FaultyStorage, "root", tmp_path / "bucket")
    monkeypatch.setattr(FaultyStorage, "fault", None)
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_STORAGE": "tests.app.storages.FaultyStorage"}
    version, run = candidate(), start()
    shutil.rmtree(folder_of(root, "popular_v3"))
    long_ago = timezone.now() - timedelta(hours=25)
    ModelVersion.objects.filter(pk=version.pk).update(created_at=long_ago, training_run=run)
    assert reconcile("books") == []
    TrainingRun.objects.filter(pk=run.pk).update(status="failed")
    assert reconcile("books") == ["books: popular_v3 has no folder: its row is history now"]


@pytest.mark.parametrize(("is_training", "hours", "stays"), [(False, 2, False), (False, 0, True), (True, 2, True)])
def test_the_janitor_deletes_what_a_killed_export_has_staged(root, is_training, hours, stays):
    staged = root / "datasets" / "books" / ".staging-killed"
    staged.mkdir(parents=True)
    at = time.time() - hours * 3600
    os.utime(staged, (at, at))
    if is_training:
        start()
    keep_order()
    assert staged.exists() is stays


def test_a_release_that_somebody_has_rolled_back_from_does_not_come_back(root, two_releases):
    promote(candidate(), by="ann")
    roll_back("books", to=2, by="ann", reason="Release 3 was bad.")
    shutil.rmtree(folder_of(root, "popular_v2"))
    assert reconcile("books")[0].endswith("rolled back to release 1")
    assert live_names() == ["popular_v1"]


def test_the_listing_says_which_versions_are_gone(root, two_releases):
    candidate()
    shutil.rmtree(folder_of(root, "popular_v3"))
    reconcile("books")
    out = io.StringIO()
    call_command("recommender_models", "books", stdout=out)
    assert "retired, gone" in out.getvalue()
