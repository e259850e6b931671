"""forget_user: what goes at once, what goes later and when, and what the report says of it."""

import io
import json
import re

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from recommender_app.exceptions import ConfigurationError, UnknownUseCase, UserNotFound
from recommender_app.models import FeedbackEvent, ForgottenUser, RequestLog, RollUp
from recommender_app.privacy import export_user, forget_user, forgetting
from recommender_app.privacy.holders import KEPT, UNIT_FIELD, USE_CASE_FIELD, USER_FIELD, holders
from recommender_app.training.export import export_dataset
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.site import get_use_case
from tests.app import library, measured
from tests.toyhost.models import Reading
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db
COUNTS = {"PositiveIntegerField", "FloatField"}  # such as ``sessions``: how many, not whose
PERSONAL = re.compile(r"user|person|visitor|session|unit|owner|account|customer|(^|_)by$")


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


def users_of(model):
    return set(model.objects.values_list("user_id", flat=True))


def dataset_names(root):
    return sorted(path.name for path in (root / "datasets" / "books").glob("*"))


def test_the_rows_of_one_go_from_every_table_and_those_of_others_stay(ann, bob, books):
    report = forget_user("books", ann.pk, by="eve")
    for model in (RequestLog, FeedbackEvent, RollUp):
        assert users_of(model) == {str(bob.pk)}
        assert lines(report, model._meta.verbose_name_plural) == [("removed", 1)]
    assert [reading.reader for reading in Reading.objects.all()] == [bob]
    assert lines(report, "interactions of the host") == [("removed", 1)]
    stored = ForgottenUser.objects.get()
    assert (stored.digest, stored.forgotten_by, stored.user_model) == (report.reference, "eve", "toyhost.reader")
    assert stored.report == json.loads(json.dumps(report.to_json()))


def test_a_second_time_and_a_reader_whom_the_host_has_deleted_are_no_errors(ann, books):
    number = ann.pk
    ann.delete()
    first, again = forget_user("books", str(number)), forget_user("books", number)
    assert first.reference == again.reference
    assert lines(first, "request logs") == [("removed", 1)]
    assert lines(again, "request logs") == [("removed", 0)]


def test_a_dry_run_changes_nothing_and_says_how_much_would_go(root, ann, books):
    export_dataset(get_use_case("books"))
    before = dataset_names(root)
    report = forget_user("books", ann.pk, dry_run=True)
    assert (report.is_dry_run, report.reference) == (True, "")
    for what in ("interactions of the host", "request logs", "feedback events", "roll ups", "datasets"):
        assert lines(report, what) == [("removed", 1)], what
    assert dataset_names(root) == before
    assert not ForgottenUser.objects.exists()
    assert users_of(RequestLog) >= {str(ann.pk)}
    assert Reading.objects.filter(reader=ann).exists()


def test_without_a_hook_nothing_is_changed_unless_the_rows_are_to_stay(monkeypatch, ann, books):
    monkeypatch.setattr(BooksForReaders, "forget", UseCase.forget)
    with pytest.raises(ConfigurationError, match="Nothing was changed: books do not say how"):
        forget_user("books", ann.pk)
    assert not ForgottenUser.objects.exists()
    report = forget_user("books", ann.pk, keep_interactions=True)
    assert lines(report, "interactions of the host") == [("kept", 1)]
    assert Reading.objects.filter(reader=ann).exists()
    exported = export_dataset(get_use_case("books"))
    assert exported.manifest["counts"]["users"] == 1


def test_what_a_hook_has_left_is_told(monkeypatch, ann, books):
    monkeypatch.setattr(BooksForReaders, "forget", lambda self, user_id: 0)
    assert lines(forget_user("books", ann.pk), "interactions of the host") == [("removed", 0), ("kept", 1)]


@pytest.mark.parametrize(("key", "user_id", "error"), [("boks", 7, UnknownUseCase), ("books", "ann", UserNotFound)])
def test_who_cannot_be_meant_is_refused(key, user_id, error):
    with pytest.raises(error):
        forget_user(key, user_id)
    assert not ForgottenUser.objects.exists()


def test_every_field_that_names_people_is_deleted_or_kept_for_a_reason():
    for model in apps.get_app_config("recommender_app").get_models():
        names = {field.attname for field in model._meta.concrete_fields}
        for name in sorted(names):
            if not PERSONAL.search(name) or (model.__name__, name) in KEPT:
                continue
            if model._meta.get_field(name).get_internal_type() in COUNTS:
                continue
            if name == UNIT_FIELD:
                assert model in holders()
                continue
            assert name == USER_FIELD, f"{model.__name__}.{name} names people: see privacy/holders.py"
            assert model in holders()
            assert USE_CASE_FIELD in names, f"{model.__name__} needs a use_case beside its user_id"


def test_no_reason_is_kept_for_a_field_that_is_gone():
    fields = {
        (model.__name__, field.attname)
        for model in apps.get_app_config("recommender_app").get_models()
        for field in model._meta.concrete_fields
    }
    assert set(KEPT) <= fields


def test_an_access_request_gets_everything_of_one_reader(ann, bob, books):
    export_dataset(get_use_case("books"))
    found = export_user("books", ann.pk)
    assert (found["user_id"], found["exists"], found["is_forgotten"]) == (str(ann.pk), True, False)
    of_books = found["use_cases"]["books"]
    (interaction,) = of_books["interactions"]
    assert (interaction["item"], interaction["event"], interaction["at"]) == (books[0].pk, "like", measured.at(1))
    assert of_books["host"] == {"bios": ["I like tea."]}
    assert len(of_books["datasets"]) == 1
    assert {name: len(rows) for name, rows in found["tables"].items() if rows} == {
        "FeedbackEvent": 1,
        "RequestLog": 1,
        "RollUp": 1,
    }
    (row,) = found["tables"]["RequestLog"]
    assert row["results"] == RequestLog.objects.get(user_id=str(ann.pk)).results
    forget_user("books", ann.pk)
    found = export_user("books", ann.pk)
    assert found["is_forgotten"]
    assert not any(found["tables"].values())


def test_the_command_writes_a_private_file_and_replaces_none(ann, books, tmp_path):
    out = tmp_path / "ann.json"
    call_command("recommender_export_user", "books", str(ann.pk), out=out, stdout=io.StringIO())
    assert json.loads(out.read_text())["tables"]["FeedbackEvent"][0]["event"] == "click"
    assert out.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CommandError, match=r"Cannot write .*: File exists. Name a new file"):
        call_command("recommender_export_user", "books", str(ann.pk), out=out)


def test_the_command_prints_a_table_or_json(ann, books):
    out = io.StringIO()
    call_command("recommender_forget_user", "books", str(ann.pk), dry_run=True, stdout=out)
    assert "toyhost.reader in books: nothing was changed." in out.getvalue()
    assert "would be removed" in out.getvalue()
    assert "interactions of the host, books: by the host's forget()" in out.getvalue().splitlines()
    out = io.StringIO()
    call_command("recommender_forget_user", "books", str(ann.pk), yes=True, json=True, by="eve", stdout=out)
    report = json.loads(out.getvalue())
    assert report["use_cases"] == ["books"]
    assert ("request logs", "removed", 1) in [(line["what"], line["outcome"], line["n"]) for line in report["lines"]]
    assert ForgottenUser.objects.get().forgotten_by == "eve"


@pytest.mark.parametrize(("typed", "is_done"), [("{}", True), ("yes", False), ("", False)])
def test_the_command_asks_for_the_id_once_more(monkeypatch, ann, typed, is_done):
    monkeypatch.setattr("builtins.input", lambda _question: typed.format(ann.pk))
    if is_done:
        call_command("recommender_forget_user", "books", str(ann.pk), stdout=io.StringIO())
    else:
        with pytest.raises(CommandError, match="Nothing was changed"):
            call_command("recommender_forget_user", "books", str(ann.pk))
    assert ForgottenUser.objects.exists() == is_done


def test_a_key_that_nobody_has_ever_had_is_refused_unless_it_is_said_to_be_right(settings, ann):
    with pytest.raises(UserNotFound, match=r"Nothing was changed: no toyhost\.reader has the key .*--deleted-already"):
        forget_user("books", ann.pk + 1000)
    assert not ForgottenUser.objects.exists()
    forget_user("books", ann.pk + 1000, deleted_already=True)
    forget_user("books", ann.pk + 1000)  # again is no error
    assert ForgottenUser.objects.count() == 1
