"""Business rules in the lists of a whole request: in force, pinned, filled up, and ignored where they make no sense."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from recommender_app.models import BusinessRule
from recommender_app.registry.rules import save_rule
from recommender_app.serving import rule_book
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.pool import RULE
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from recommender_app.usecases.rules import Bury, Pin, Quota
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.toyhost.models import Book
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "RELOAD_SECONDS": 0.0}


def policy(**rearranging):
    return forced_policy("books", Policy("test", ((0, "fixed"),), **rearranging))


def engine_of(books):
    return override_engine("books", FixedEngine([book.pk for book in books]))


def titles(reader, limit, **rearranging):
    with policy(**rearranging):
        return library.titles(recommend(reader, "books", limit).results)


def publish(kind, **fields):
    return save_rule(BusinessRule(use_case="books", name=kind, kind=kind, is_active=True, **fields), by="ann")


@pytest.fixture
def books():
    return library.add_shelves()


@pytest.fixture
def reader():
    return library.add_reader()


def test_a_published_rule_is_in_force_in_the_next_request_and_an_unpublished_one_is_not(books, reader):
    with engine_of(books):
        rule = publish("bury", condition={"genre": "tea"}, factor=0)
        assert titles(reader, 2) == ["sea-0", "sea-1"]
        rule.is_active = False
        save_rule(rule, by="ann")
        assert titles(reader, 2) == ["tea-0", "tea-1"]


def test_a_rule_is_in_force_between_its_dates_only(books, reader):
    now = timezone.now()
    with engine_of(books):
        publish("bury", condition={"genre": "tea"}, factor=0, starts_at=now + timedelta(hours=1))
        publish("pin", item_ids=[str(books[5].pk)], position=1, ends_at=now - timedelta(hours=1))
        assert titles(reader, 2) == ["tea-0", "tea-1"]


def test_rules_in_code_and_in_the_admin_work_together(books, reader, monkeypatch):
    monkeypatch.setattr(BooksForReaders, "rules", (Pin(item_ids=[books[5].pk]), Bury(where={"genre": "tea"}, factor=0)))
    publish("pin", item_ids=[str(books[11].pk)], position=1)
    with engine_of(books):
        assert titles(reader, 3) == ["tea-5", "sea-5", "sea-0"]


def test_a_pinned_book_that_is_hidden_never_shows(books, reader):
    publish("pin", item_ids=[str(books[5].pk), str(books[6].pk)], position=1)
    Book.objects.filter(pk=books[5].pk).update(is_published=False)
    library.read(reader, books[6], "dislike")
    with engine_of(books):
        assert titles(reader, 3) == ["tea-0", "tea-1", "tea-2"]


def test_a_pin_outside_the_pool_is_shown_and_the_answer_is_still_the_engines(books, reader):
    (far,) = library.add_books("moon-0")
    publish("pin", item_ids=[str(far.pk)], position=1)
    with engine_of(books), policy():
        answer = recommend(reader, "books", 3)
    assert library.titles(answer.results) == ["moon-0", "tea-0", "tea-1"]
    assert (answer.results[0].source, answer.engine, answer.fallback_reason) == (RULE, "fixed", "")


def test_a_quota_of_new_books_is_filled_from_the_table(books, reader):
    new = [Book.objects.create(title=f"moon-{place}", genre="moon") for place in range(3)]
    publish("quota", new_within_days=7, count=2, out_of=4)
    with engine_of(books):
        assert titles(reader, 4) == ["tea-0", "tea-1", "moon-2", "moon-1"]
        Book.objects.filter(pk=new[2].pk).update(is_published=False)
        assert titles(reader, 4) == ["tea-0", "tea-1", "moon-1", "moon-0"]


def test_a_quota_by_a_relation_of_many_finds_each_book_once(books, reader, monkeypatch):
    monkeypatch.setattr(BooksForReaders, "rule_attributes", ("reading__kind",))
    (far,) = library.add_books("moon-0")
    other = library.add_reader("bob", likes=(far,))
    library.read(other, far, "like")
    monkeypatch.setattr(BooksForReaders, "rules", (Quota(where={"reading__kind": ["like"]}, count=2, out_of=3),))
    with engine_of(books):
        assert titles(reader, 3) == ["tea-0", "tea-1", "moon-0"]


def test_an_error_while_reading_keeps_the_last_known_rules(books, reader, caplog):
    publish("bury", condition={"genre": "tea"}, factor=0)
    use_case = get_use_case("books")
    known = rule_book.all_rules(use_case)
    assert len(known) == 1
    with connection.execute_wrapper(library.refuse):
        assert rule_book.all_rules(use_case) == known
        assert rule_book.all_rules(use_case) == known
    assert caplog.text.count("cannot be read") == 1


def test_a_rule_that_no_longer_fits_the_declaration_is_ignored_and_said(books, reader, caplog):
    BusinessRule.objects.create(
        use_case="books", name="old", kind="bury", condition={"colour": "red"}, factor=0, is_active=True
    )
    with engine_of(books):
        assert titles(reader, 2) == ["tea-0", "tea-1"]
    assert "There is no attribute 'colour'" in caplog.text
