"""Promotion and roll-back: one pointer, moved in one transaction."""

import logging
import shutil

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from recommender_app.artifacts.live_hint import LiveHint, read_live_hint
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings as app_settings
from recommender_app.exceptions import ArtifactDamaged, ArtifactMissing, RegistryError
from recommender_app.models import ModelVersion, Release
from recommender_app.registry.releases import live_release, promote, roll_back
from tests.app.registered import candidate, live_names, status_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    """An artifact root of the test's own."""
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path}
    return tmp_path


def folder_of(version):
    return ArtifactStore(app_settings.artifact_root).folder("books", version.engine, version.name)


def test_nothing_is_live_before_the_first_promotion():
    assert live_release("books") is None


def test_the_first_promotion_makes_release_1():
    version = candidate()
    release = promote(version, by="ann", reason="looks good")
    assert (release.number, release.status, release.previous) == (1, "live", None)
    assert (release.promoted_by, release.reason) == ("ann", "looks good")
    assert live_release("books") == release
    assert (version.status, status_of(version)) == ("ready", "ready")


def test_a_promotion_replaces_only_its_own_engine():
    first, trending, second = candidate(), candidate("trending"), candidate()
    promote(first, by="ann")
    promote(trending, by="ann")
    assert live_names() == ["popular_v1", "trending_v1"]
    release = promote(second, by="ann")
    assert live_names() == ["popular_v2", "trending_v1"]
    assert (release.number, release.previous.number) == (3, 2)
    assert [status_of(version) for version in (first, trending, second)] == ["retired", "ready", "ready"]
    first.refresh_from_db()
    assert first.reason == "Replaced by popular_v2 in release 3."


def test_reading_what_is_live_takes_two_queries(django_assert_num_queries):
    promote(candidate(), by="ann")
    promote(candidate("trending"), by="ann")
    with django_assert_num_queries(2):
        live = live_release("books")
        assert [member.version.name for member in live.members.all()] == ["popular_v1", "trending_v1"]


@pytest.mark.parametrize(("status", "advice"), [("rejected", "train again"), ("retired", "train again")])
def test_a_version_that_was_turned_down_is_not_promoted(status, advice):
    version = candidate()
    ModelVersion.objects.filter(pk=version.pk).update(status=status)
    for known in (version, ModelVersion.objects.get(pk=version.pk)):  # also when it was read before
        with pytest.raises(RegistryError, match=f"popular_v1 is {status} and cannot be promoted: {advice}"):
            promote(known, by="ann")
    assert live_release("books") is None


def test_a_retired_version_names_the_release_that_brings_it_back():
    first, second = candidate(), candidate()
    promote(first, by="ann")
    promote(second, by="ann")
    first.refresh_from_db()
    with pytest.raises(RegistryError, match="roll back to release 1, or train again"):
        promote(first, by="ann")


def test_what_is_live_is_not_promoted_twice():
    version = candidate()
    promote(version, by="ann")
    with pytest.raises(RegistryError, match="popular_v1 is live already"):
        promote(version, by="ann")
    assert Release.objects.count() == 1


def test_a_version_whose_folder_is_gone_or_damaged_is_not_promoted():
    live, gone, damaged = candidate(), candidate(), candidate()
    promote(live, by="ann")
    shutil.rmtree(folder_of(gone))
    array = next(folder_of(damaged).glob("*.npy"))
    array.chmod(0o600)
    array.write_bytes(array.read_bytes()[:-1] + b"\1")
    with pytest.raises(ArtifactMissing):
        promote(gone, by="ann")
    with pytest.raises(ArtifactDamaged):
        promote(damaged, by="ann")
    assert live_names() == ["popular_v1"]
    assert Release.objects.count() == 1


def test_the_hint_names_the_live_release_once_it_is_committed(root, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        promote(candidate(), by="ann")
        assert read_live_hint(root, "books") is None
    for write in callbacks:
        write()
    assert read_live_hint(root, "books") == LiveHint("books", 1, {"popular": "popular_v1"})


def test_a_hint_that_cannot_be_written_does_not_undo_the_promotion(root, caplog, django_capture_on_commit_callbacks):
    (root / "LIVE").write_text("in the way")
    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        promote(candidate(), by="ann")
    assert live_names() == ["popular_v1"]
    assert "The LIVE hint of books was not written" in caplog.text


def test_a_roll_back_restores_the_release_before(root, django_capture_on_commit_callbacks):
    first, second = candidate(), candidate()
    promote(first, by="ann")
    promote(second, by="ann")
    with django_capture_on_commit_callbacks(execute=True):
        release = roll_back("books", by="bob", reason="worse")
    assert (release.number, release.promoted_by, release.reason) == (1, "ann", "")  # who promoted it, then
    assert live_names() == ["popular_v1"]
    assert [status_of(first), status_of(second)] == ["ready", "retired"]
    assert read_live_hint(root, "books").release == 1
    assert Release.objects.filter(status="live").count() == 1


def test_roll_backs_follow_the_history_to_its_beginning():
    for _ in range(3):
        promote(candidate(), by="ann")
    assert [roll_back("books", by="ann").number for _ in range(2)] == [2, 1]
    with pytest.raises(RegistryError, match="no release of books to roll back to: books release 1 is the first"):
        roll_back("books", by="ann")
    assert live_names() == ["popular_v1"]


def test_a_roll_back_goes_to_any_release_forward_too():
    for _ in range(3):
        promote(candidate(), by="ann")
    assert roll_back("books", to=1, by="ann").number == 1
    assert roll_back("books", to=3, by="ann").number == 3
    assert live_names() == ["popular_v3"]


def test_a_promotion_after_a_roll_back_starts_from_what_is_live():
    promote(candidate(), by="ann")
    promote(candidate("trending"), by="ann")
    roll_back("books", by="ann")
    release = promote(candidate(), by="ann")
    assert (release.number, release.previous.number) == (3, 1)
    assert live_names() == ["popular_v2"]


@pytest.mark.parametrize(("to", "message"), [(None, "nothing is live"), (1, "no release 1 of books")])
def test_there_is_nothing_to_roll_back_to(to, message):
    with pytest.raises(RegistryError, match=message):
        roll_back("books", to=to, by="ann")


def test_a_roll_back_to_what_is_live_or_to_another_use_case_is_refused():
    promote(candidate(), by="ann")
    with pytest.raises(RegistryError, match="books release 1 is live already"):
        roll_back("books", to=1, by="ann")
    with pytest.raises(RegistryError, match="no release 1 of movies"):
        roll_back("movies", to=1, by="ann")


def test_a_roll_back_to_a_rejected_or_lost_version_is_refused():
    first, second, third = candidate(), candidate(), candidate()
    for version in (first, second, third):
        promote(version, by="ann")
    ModelVersion.objects.filter(pk=second.pk).update(status="rejected")
    with pytest.raises(RegistryError, match="release 2 holds popular_v2, which was rejected"):
        roll_back("books", by="ann")
    shutil.rmtree(folder_of(first))
    with pytest.raises(ArtifactMissing):
        roll_back("books", to=1, by="ann")
    assert live_names() == ["popular_v3"]


def test_the_database_itself_allows_one_live_release_and_one_version_per_engine():
    release = promote(candidate(), by="ann")
    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.create(use_case="books", number=2, status="live", promoted_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        release.members.create(engine="popular", version=candidate())
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.update(status="splendid")


def test_a_reason_that_is_too_long_is_cut():
    assert promote(candidate(), by="ann", reason="x" * 999).reason == "x" * 200
