"""A tombstone that is taken back: the id is ignored no more, and nothing that was removed comes back."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from recommender_app.exceptions import UserNotFound
from recommender_app.models import ForgottenUser, ModelVersion, RequestLog
from recommender_app.privacy import export_user, forget_user, forgetting, revoke_forgetting
from recommender_app.registry.releases import promote
from recommender_app.registry.tombstones import read_tombstones, stamp
from recommender_app.serving.service import recommend
from recommender_app.training.export import export_dataset
from recommender_app.training.forgotten import prune_forgotten
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.app.posting import event, post
from tests.app.registered import candidate
from tests.toyhost.models import Reading

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(forgetting, "ANSWER_SECONDS", 0.0)  # no other process writes here
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path, "RELOAD_SECONDS": 0.0}
    return tmp_path


def test_the_id_is_that_of_any_user_again(books, reader, reader_client):
    library.read(reader, books[0], "like")
    forget_user("books", reader.pk)
    assert post(reader_client, event(books[1])).status_code == 404
    before = stamp()
    revoke_forgetting("books", reader.pk, by="eve")
    assert stamp() != before  # so that every process reads again
    assert not Reading.objects.exists()  # what was removed stays removed
    assert post(reader_client, event(books[1])).status_code == 201
    answer = recommend(reader, "books", 2)
    assert (answer.interaction_count, RequestLog.objects.get().user_id) == (1, str(reader.pk))
    assert not export_user("books", reader.pk)["is_forgotten"]


def test_what_happens_from_then_on_is_learned_from(books, reader):
    bob = library.add_reader("bob")
    for who in (reader, bob):
        library.read(who, books[0], "like")
    forget_user("books", reader.pk)
    revoke_forgetting("books", reader.pk)
    library.read(reader, books[1], "like")
    assert export_dataset(get_use_case("books")).manifest["counts"]["interactions"] == 2


def test_kept_rows_count_again(books, reader):
    library.read(reader, books[0], "like")
    forget_user("books", reader.pk, keep_interactions=True)
    assert recommend(reader, "books", 2).interaction_count == 0
    revoke_forgetting("books", reader.pk)
    assert recommend(reader, "books", 2).interaction_count == 1


def test_the_row_stays_as_the_record_of_who_did_it_and_when(reader):
    forget_user("books", reader.pk, by="ann")
    revoke_forgetting("books", reader.pk, by="eve")
    row = ForgottenUser.objects.get()
    assert (row.forgotten_by, row.revoked_by) == ("ann", "eve")
    assert row.forgotten_at <= row.revoked_at <= timezone.now()
    assert not read_tombstones()


def test_who_is_forgotten_again_has_a_tombstone_and_a_term_anew(reader):
    for _ in range(2):
        forget_user("books", reader.pk)
        forget_user("books", reader.pk)  # twice is one tombstone
        revoke_forgetting("books", reader.pk)
    forget_user("books", reader.pk)
    rows = ForgottenUser.objects.order_by("pk")
    assert [row.revoked_at is None for row in rows] == [False, False, True]
    assert rows[2].forgotten_at > rows[1].forgotten_at
    assert read_tombstones().holds(type(reader), reader.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        ForgottenUser.objects.filter(pk=rows[0].pk).update(revoked_at=None)


def test_nobody_else_is_remembered_with_it(reader):
    bob = library.add_reader("bob")
    forget_user("books", reader.pk)
    forget_user("books", bob.pk)
    revoke_forgetting("books", bob.pk)
    assert read_tombstones().holds(type(reader), reader.pk)
    for nobody in (bob.pk, 999_999, "x"):
        with pytest.raises(UserNotFound):
            revoke_forgetting("books", nobody)


def test_a_version_that_had_learned_from_the_user_still_goes_in_its_term(root, reader):
    live = candidate()
    promote(live, by="test")
    forget_user("books", reader.pk)
    revoke_forgetting("books", reader.pk)
    assert prune_forgotten(get_use_case("books")) == []
    ForgottenUser.objects.update(versions_due_at=timezone.now() - timedelta(seconds=1))
    assert [each.name for each in prune_forgotten(get_use_case("books"))] == [live.name]
    assert ModelVersion.objects.get().gone_at is not None
    assert ForgottenUser.objects.get().versions_gone_at is not None


def run(*arguments):
    output = io.StringIO()
    call_command("recommender_forget_user", *arguments, stdout=output)
    return output.getvalue()


def test_the_command(reader):
    forget_user("books", reader.pk)
    told = json.loads(run("books", str(reader.pk), "--revoke", "--json", "--by", "eve"))
    assert (told["user_model"], told["revoked_by"]) == ("toyhost.reader", "eve")
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("books", str(reader.pk), "--revoke")
    forget_user("books", reader.pk)
    assert "what was removed stays removed" in run("books", str(reader.pk), "--revoke")


@pytest.mark.parametrize("option", ["--dry-run", "--keep-interactions", "--deleted-already"])
def test_the_command_takes_back_or_forgets_and_not_both(reader, option):
    forget_user("books", reader.pk)
    with pytest.raises(CommandError, match=f"leave out {option}"):
        run("books", str(reader.pk), "--revoke", option)
    assert read_tombstones()
