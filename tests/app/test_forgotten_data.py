"""forget_user: data sets that hold a person, and versions that have learned from one."""

import os
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from recommender_app.models import ForgottenUser, ModelVersion, Release, TrainingRun
from recommender_app.privacy import forget_user, forgetting
from recommender_app.registry.releases import promote
from recommender_app.registry.runs import request_run
from recommender_app.registry.tombstones import bury
from recommender_app.training import forgotten_datasets
from recommender_app.training.export import export_dataset
from recommender_app.training.forgotten import prune_forgotten
from recommender_app.training.lifecycle import retrain
from recommender_app.training.requested import perform_run
from recommender_app.usecases.site import get_use_case
from tests.app import library, measured, readings
from tests.app.registered import candidate, live_names, start
from tests.toyhost.models import Reader, Reading

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(forgetting, "ANSWER_SECONDS", 0.0)  # no other process writes here
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path, "RELOAD_SECONDS": 0.0}
    return tmp_path


@pytest.fixture
def ann():
    return library.add_reader("ann", bio="I like tea.")


@pytest.fixture
def bob():
    return library.add_reader("bob")


@pytest.fixture
def books(ann, bob):
    """Ann and Bob have each liked a book, asked, clicked, and are in a roll-up."""
    books = library.add_shelves(2)
    for reader in (ann, bob):
        measured.read(reader, books[0], "like", hours=1)
        measured.answer(reader, books[0], books[1])
        measured.event(reader, books[0], "click")
    measured.roll_up_day(get_use_case("books"), measured.DAY)
    return books


def lines(report, what):
    return [(line.outcome, line.n) for line in report.lines if line.what == what]


def test_datasets_that_hold_the_reader_go_and_others_stay(root, ann, bob, books):
    Reading.objects.filter(reader=ann).delete()
    kept = export_dataset(get_use_case("books")).path
    measured.read(ann, books[1], "like", hours=2)
    gone = export_dataset(get_use_case("books")).path
    report = forget_user("books", ann.pk)
    assert lines(report, "datasets") == [("removed", 1)]
    assert kept.exists()
    assert not gone.exists()


def test_the_janitor_reads_a_dataset_once_per_tombstone(monkeypatch, ann, bob, books):
    read, held_by = [], forgotten_datasets.held_by
    monkeypatch.setattr(forgotten_datasets, "held_by", lambda *args: read.append(args[1]) or held_by(*args))
    bury(Reader, 4711, by="ann")
    folder = export_dataset(get_use_case("books")).path
    assert [prune_forgotten(get_use_case("books")) for _ in range(3)] == [[], [], []]
    assert read == [folder]
    bury(Reader, bob.pk, by="ann")
    assert [each.name for each in prune_forgotten(get_use_case("books"))] == [folder.name]
    assert read == [folder, folder]


def test_a_dataset_that_cannot_be_read_goes_too(ann, books):
    folder = export_dataset(get_use_case("books")).path
    (folder / "user_ids.npy").write_bytes(b"garbage")
    forget_user("books", ann.pk)
    assert not folder.exists()


def test_a_dataset_that_a_run_reads_waits_for_its_end_and_the_janitor(ann, books):
    folder = export_dataset(get_use_case("books")).path
    run = start()
    TrainingRun.objects.filter(pk=run.pk).update(dataset_fingerprint=folder.name)
    report = forget_user("books", ann.pk)
    assert lines(report, "datasets") == [("removed", 0), ("later", 1)]
    assert folder.exists()
    TrainingRun.objects.update(status="failed")
    assert [each.kind for each in prune_forgotten(get_use_case("books"))] == ["dataset"]
    assert not folder.exists()


@pytest.mark.parametrize("place", ["datasets/books", "models/books/als"])
def test_what_a_killed_process_has_staged_goes_unless_somebody_writes_it(root, ann, place):
    staging = root / place / ".staging-1"
    staging.mkdir(parents=True)
    (staging / "user_ids.npy").write_bytes(b"half")
    assert lines(forget_user("books", ann.pk), "unfinished files") == [("later", 1)]
    for path in (staging / "user_ids.npy", staging):
        os.utime(path, (0, 0))
    run = start()
    assert lines(forget_user("books", ann.pk), "unfinished files") == [("later", 1)]
    TrainingRun.objects.filter(pk=run.pk).update(status="failed")
    assert lines(forget_user("books", ann.pk, dry_run=True), "unfinished files") == [("removed", 1)]
    assert staging.exists()
    assert lines(forget_user("books", ann.pk), "unfinished files") == [("removed", 1)]
    assert not staging.exists()


def test_a_live_version_waits_for_one_that_was_trained_after_and_the_others_go_at_once(root, settings, ann):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "KEEP_VERSIONS": 9}
    _old, live, rejected = candidate(), candidate(), candidate()
    promote(live, by="test")
    ModelVersion.objects.filter(pk=rejected.pk).update(status="rejected")
    ModelVersion.objects.update(created_at=timezone.now() - timedelta(hours=2))
    report = forget_user("books", ann.pk)
    assert lines(report, "model versions") == [("removed", 2), ("later", 1)]
    due = next(line.due for line in report.lines if line.due)
    assert due - ForgottenUser.objects.get().forgotten_at == timedelta(days=30)
    assert lines(report, "trainings asked for") == [("later", 1)]
    assert TrainingRun.objects.get(status="requested").requested_by == "privacy"
    assert prune_forgotten(get_use_case("books")) == []
    assert ForgottenUser.objects.get().versions_gone_at is None

    promote(candidate(), by="test")
    assert [each.name for each in prune_forgotten(get_use_case("books"))] == [live.name]
    assert live_names() == ["popular_v4"]
    assert not (root / "models" / "books" / "popular" / live.name).exists()
    live.refresh_from_db()
    assert live.gone_at is not None
    assert ForgottenUser.objects.get().versions_gone_at is not None


def test_all_engines_that_learned_from_the_user_are_trained_together(settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "TRAINERS": readings.only("popular", "trending")}
    readings.fill()
    retrain(get_use_case("books"), ["popular", "trending"], by="ann")
    n_releases = Release.objects.count()
    forget_user("books", Reader.objects.first().pk)
    asked = TrainingRun.objects.filter(requested_by="privacy")
    assert set(asked.values_list("engine", flat=True)) == {"popular", "trending"}
    perform_run(asked.first().pk)
    assert set(asked.values_list("status", flat=True)) == {"succeeded"}
    assert asked.values("dataset_fingerprint").distinct().count() == 1
    assert Release.objects.count() == n_releases + 1
    prune_forgotten(get_use_case("books"))
    assert live_names() == ["popular_v2", "trending_v2"]


def test_past_its_term_a_version_goes_even_if_nothing_has_taken_its_place(root, ann, caplog):
    live = candidate()
    promote(live, by="test")
    forget_user("books", ann.pk)
    ForgottenUser.objects.update(versions_due_at=timezone.now() - timedelta(seconds=1))
    assert prune_forgotten(get_use_case("books"), dry_run=True) == prune_forgotten(get_use_case("books")) != []
    assert not (root / "models" / "books" / "popular" / live.name).exists()
    assert "is live, and deleted: nothing has taken its place in time" in caplog.text


def test_a_training_that_had_begun_is_not_taken_for_the_one_that_was_asked_for(ann):
    promote(candidate(), by="test")
    running = start()
    report = forget_user("books", ann.pk)
    assert lines(report, "trainings asked for") == [("later", 1)]
    assert not TrainingRun.objects.filter(status="requested").exists()
    TrainingRun.objects.filter(pk=running.pk).update(status="failed")
    prune_forgotten(get_use_case("books"))
    prune_forgotten(get_use_case("books"))
    assert TrainingRun.objects.filter(status="requested").count() == 1


def test_a_requested_training_that_was_tried_is_not_asked_for_every_hour(ann):
    promote(candidate(), by="test")
    forget_user("books", ann.pk)
    run = TrainingRun.objects.get(status="requested")
    TrainingRun.objects.filter(pk=run.pk).update(status="failed", started_at=timezone.now())
    prune_forgotten(get_use_case("books"))
    assert not TrainingRun.objects.filter(status="requested").exists()
    assert request_run("books", "popular", requested_by="ann") is not None  # others may still ask


def test_ids_are_found_in_the_arrays_of_a_dataset(ann, bob, books):
    folder = export_dataset(get_use_case("books")).path
    assert sorted(np.load(folder / "user_ids.npy").tolist()) == sorted([ann.pk, bob.pk])


def test_no_training_is_asked_for_where_no_dataset_held_the_id(ann, bob, books):
    folder = export_dataset(get_use_case("books")).path
    promote(candidate(dataset_fingerprint=folder.name), by="ann")
    cid = library.add_reader("cid")
    report = forget_user("books", cid.pk)
    assert lines(report, "trainings asked for") == lines(report, "model versions") == []
    prune_forgotten(get_use_case("books"))
    assert not TrainingRun.objects.filter(requested_by="privacy").exists()
    assert lines(forget_user("books", bob.pk), "trainings asked for") == [("later", 1)]


def test_a_dry_run_for_somebody_who_was_forgotten_before_lists_no_newer_version(ann):
    forget_user("books", ann.pk)
    ForgottenUser.objects.update(forgotten_at=timezone.now() - timedelta(days=1))
    candidate(dataset_fingerprint="f" * 64)
    report = forget_user("books", ann.pk, dry_run=True)
    assert lines(report, "model versions") == []
