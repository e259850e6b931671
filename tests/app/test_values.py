"""Values that no column can hold: left out of queries, refused by the form of a rule, harmless everywhere."""

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.urls import reverse

from recommender_app.exceptions import UserNotFound
from recommender_app.models import BusinessRule, RequestLog
from recommender_app.registry.rules import save_rule
from recommender_app.serving.arranging import slate
from recommender_app.serving.arranging.preview import sample_users
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from recommender_app.usecases.eligibility import eligible_items, newest_eligible
from recommender_app.usecases.rules import Pin, Quota
from recommender_app.usecases.site import get_use_case
from recommender_app.usecases.users import named_users
from recommender_app.usecases.values import usable_ids, usable_values
from tests.app import library
from tests.toyhost.models import Book, Reader
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db
HUGE = 10**50


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "RELOAD_SECONDS": 0.0}


@pytest.fixture
def books():
    return library.add_shelves()


def titles(books, limit=3, **rearranging):
    policy = Policy("test", ((0, "fixed"),), **rearranging)
    with override_engine("books", FixedEngine([book.pk for book in books])), forced_policy("books", policy):
        return library.titles(recommend(library.add_reader(), "books", limit).results)


@pytest.mark.parametrize(
    "unusable", [HUGE, 10**400, float("inf"), float("nan"), "x", None, [], {}, 2**63, "\ud800", "1\0", object()]
)
def test_what_an_integer_column_cannot_hold_is_left_out(unusable):
    assert usable_values(Book._meta.get_field("pages"), [7, unusable, "8"]) == [7, 8]
    assert usable_values(Reader._meta.pk, [7, unusable, "8"]) == [7, 8]
    assert list(Book.objects.filter(pages__in=usable_values(Book._meta.get_field("pages"), [unusable]))) == []


@pytest.mark.parametrize("unusable", ["a\0b", "\ud800", None])
def test_text_that_a_database_refuses_is_left_out(unusable):
    assert usable_values(Book._meta.get_field("genre"), ["tea", unusable, 5]) == ["tea", "5"]


def test_a_foreign_key_is_as_its_target():
    field = library.Reading._meta.get_field("book")
    assert usable_values(field, ["7", HUGE]) == []
    assert len(usable_values(field, ["00000000-0000-0000-0000-000000000000"])) == 1


@pytest.mark.parametrize("unusable", [HUGE, 10**400, 1.5, "\0", None, ["x"]])
def test_ids_that_cannot_be_keys_are_not_eligible(books, unusable):
    use_case, reader = get_use_case("books"), library.add_reader()
    assert usable_ids(use_case, [unusable, str(books[0].pk)]) == [books[0].pk]
    assert list(eligible_items(use_case, reader, [unusable, books[0].pk])) == [books[0].pk]
    assert newest_eligible(use_case, reader, 1, [unusable]) == [books[-1]]


def test_a_user_whose_key_is_too_large_is_unknown():
    with pytest.raises(UserNotFound, match=str(HUGE)):
        named_users(get_use_case("books"), [str(HUGE)])


def test_users_in_the_log_whose_keys_no_longer_fit_are_no_samples():
    reader = library.add_reader()
    recommend(reader, "books", 1)
    RequestLog.objects.update(user_id=str(HUGE))
    assert sample_users(get_use_case("books"), 3) == [reader]


@pytest.mark.parametrize(
    "rule",
    [
        Quota(where={"pages": [HUGE]}, count=2),
        Quota(where={"pages": [float("inf"), "x", None]}, count=2),
        Pin(where={"pages": HUGE}),
        Pin(item_ids=[HUGE]),
        Pin(item_ids=[float("inf")]),
        Pin(where={"genre": ["a\0b"]}),
    ],
)
def test_a_rule_in_code_about_impossible_values_changes_nothing(books, monkeypatch, rule):
    monkeypatch.setattr(BooksForReaders, "rules", (rule,))
    assert titles(books) == ["tea-0", "tea-1", "tea-2"]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("quota", {"count": 1, "condition": {"pages": [10**23]}}),
        ("pin", {"position": 1, "item_ids": [HUGE]}),
    ],
)
def test_a_published_rule_about_impossible_values_is_ignored_and_said(books, kind, fields, caplog):
    BusinessRule.objects.create(use_case="books", name="odd", kind=kind, is_active=True, **fields)
    save_rule(
        BusinessRule(use_case="books", name="sea", kind="bury", factor=0, condition={"genre": "tea"}, is_active=True),
        by="ann",
    )
    assert titles(books) == ["sea-0", "sea-1", "sea-2"]
    assert "'odd' of books is ignored" in caplog.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"condition": '{"pages": [100000000000000000000000]}'}, "cannot be a value of pages"),
        ({"condition": '{"pages": "many"}'}, "cannot be a value of pages"),
        ({"item_ids": f"[{HUGE}]"}, "cannot be a key of toyhost.Book"),
    ],
)
def test_the_form_refuses_values_that_no_item_can_have(client, fields, said):
    client.force_login(User.objects.create_superuser("root"))
    sent = {"use_case": "books", "name": "x", "kind": "quota", "count": "1", "out_of": "10", "priority": "0"}
    page = client.post(reverse("admin:recommender_app_businessrule_add"), {**sent, "is_active": "on", **fields})
    assert page.status_code == 200
    assert said in page.content.decode()
    assert not BusinessRule.objects.exists()


def test_a_list_that_cannot_be_arranged_is_shown_in_the_engines_order_and_logged_once(books, monkeypatch, caplog):
    def broken(*arguments):
        raise ArithmeticError("nobody foresaw this")

    monkeypatch.setattr(slate, "arrange", broken)
    assert titles(books, caps={"genre": 1}) == ["tea-0", "tea-1", "tea-2"]
    (record,) = [record for record in caplog.records if "cannot be arranged" in record.message]
    assert str(RequestLog.objects.get().request_id) in record.message


def test_a_database_error_while_arranging_is_one_of_the_database(books, monkeypatch):
    def broken(*arguments):
        raise OperationalError("gone")

    monkeypatch.setattr(slate, "read_facts", broken)
    with (
        override_engine("books", FixedEngine([book.pk for book in books])),
        forced_policy("books", Policy("test", ((0, "fixed"),), caps={"genre": 1})),
    ):
        assert recommend(library.add_reader(), "books", 3).fallback_reason == "database_unavailable"
