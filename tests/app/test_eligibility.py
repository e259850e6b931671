"""What may be shown: the database decides, in one query."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Case, Value, When
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommender_app import Interactions
from recommender_app.usecases.eligibility import eligible_ids, eligible_items, newest_eligible
from recommender_app.usecases.filters import parse_filters
from recommender_app.usecases.hidden import hidden_ids
from recommender_app.usecases.site import get_use_case
from tests.toyhost.models import Book, Reader, Reading
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db


def use_case_with(**attributes):
    return type("Changed", (BooksForReaders,), attributes)()


@pytest.fixture
def reader():
    return Reader.objects.create(name="Ada")


@pytest.fixture
def books():
    now = timezone.now()
    return [Book.objects.create(title=t, created_at=now - timedelta(days=n)) for n, t in enumerate("abc")]


def ids(books):
    return [book.pk for book in books]


def test_published_books_are_eligible_as_instances_in_one_query(reader, books, django_assert_num_queries):
    hidden = Book.objects.create(title="secret", is_published=False)
    with django_assert_num_queries(1):
        shown = eligible_items(get_use_case("books"), reader, [*ids(books[:2]), hidden.pk, uuid.uuid4()])
    assert shown == {book.pk: book for book in books[:2]}


@pytest.mark.parametrize(("kind", "is_shown"), [("finish", False), ("dislike", False), ("like", True), ("x", True)])
def test_only_hide_after_events_hide(reader, books, kind, is_shown):
    Reading.objects.create(reader=reader, book=books[0], kind=kind)
    assert (books[0].pk in eligible_items(get_use_case("books"), reader, ids(books))) == is_shown
    assert (books[0] in newest_eligible(get_use_case("books"), reader, 10)) == is_shown


def test_what_others_finished_stays(reader, books):
    Reading.objects.create(reader=Reader.objects.create(name="Bob"), book=books[0], kind="finish")
    assert books[0].pk in eligible_items(get_use_case("books"), reader, ids(books))


def test_a_dislike_hides_however_much_happened_since(reader, books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "HISTORY_LIMIT": 1}
    then = timezone.now() - timedelta(days=5000)
    Reading.objects.create(reader=reader, book=books[0], kind="dislike", at=then)
    Reading.objects.bulk_create(Reading(reader=reader, book=books[0], kind="like") for _ in range(600))
    assert books[0].pk not in eligible_items(get_use_case("books"), reader, ids(books))


def test_every_source_hides_in_the_same_query(reader, books, django_assert_num_queries):
    marks = {"user": "reader", "item": "book", "at": "at"}
    kind = Case(When(kind="1", then=Value("dislike")), default=None)
    use_case = use_case_with(
        interactions=[Interactions(Reading, event="kind", **marks), Interactions(Reading, event=kind, **marks)]
    )
    Reading.objects.create(reader=reader, book=books[0], kind="finish")
    Reading.objects.create(reader=reader, book=books[1], kind="1")
    Reading.objects.create(reader=reader, book=books[0], kind="1")
    with django_assert_num_queries(1):
        assert sorted(hidden_ids(use_case, reader)) == sorted(ids(books[:2]))
    with django_assert_num_queries(1):
        assert list(eligible_items(use_case, reader, ids(books))) == [books[2].pk]
    with django_assert_num_queries(1):
        assert newest_eligible(use_case, reader, 10) == [books[2]]


def test_a_constant_event_hides_whatever_was_met_in_that_table(reader, books):
    applied = Interactions(Reading, user="reader", item="book", event=Value("apply"), at="at")
    Reading.objects.create(reader=reader, book=books[0], kind="anything")
    use_case = use_case_with(interactions=applied, weights={"apply": 3.0}, hide_after=("apply",))
    assert set(eligible_items(use_case, reader, ids(books))) == {books[1].pk, books[2].pk}


def test_a_missing_item_in_the_table_does_not_hide_everything(books):
    """NOT IN over a list with NULL in it would be true for nothing."""
    account = User.objects.create(username="ada")
    reader = Reader.objects.create(name="without account")
    Reading.objects.create(reader=reader, book=books[0], kind="finish")
    accounts = use_case_with(
        users=Book,
        items=User,
        interactions=Interactions(Reading, user="book", item="reader__account", event="kind", at="at"),
        get_items=lambda self, user: User.objects.all(),
    )
    assert eligible_items(accounts, books[0], [account.pk]) == {account.pk: account}


def test_ids_of_another_kind_are_not_eligible(reader, books):
    assert list(eligible_items(get_use_case("books"), reader, ["17", 17, books[0].pk, "x"])) == [books[0].pk]


def test_no_ids_no_items(reader, books):
    assert eligible_items(get_use_case("books"), reader, []) == {}


def test_the_newest_come_first_up_to_the_limit(reader, books):
    assert newest_eligible(get_use_case("books"), reader, 2) == books[:2]


def test_excluded_books_make_room_for_the_next(reader, books):
    assert newest_eligible(get_use_case("books"), reader, 2, {books[0].pk}) == books[1:]


def test_without_hide_after_everything_published_is_shown(reader, books):
    Reading.objects.create(reader=reader, book=books[0], kind="finish")
    assert newest_eligible(use_case_with(hide_after=()), reader, 10) == books


def test_items_that_the_host_yields_several_times_still_fill_the_list(reader, books):
    """A filter over a to-many relation repeats an item for each match."""
    Reading.objects.bulk_create(
        Reading(reader=reader, book=book, kind="like") for book in books for _ in range(5 if book is books[0] else 1)
    )
    liked = use_case_with(get_items=lambda self, user: Book.objects.filter(reading__kind="like"))
    assert newest_eligible(liked, reader, 2) == books[:2]
    assert newest_eligible(liked, reader, 3) == books
    assert newest_eligible(liked, reader, 9) == books
    assert newest_eligible(liked, reader, 2, {books[0].pk}) == books[1:]


def test_all_ids_are_read_in_one_query_unless_they_are_too_many(reader, books, django_assert_num_queries):
    Reading.objects.create(reader=reader, book=books[0], kind="finish")
    use_case = get_use_case("books")
    with django_assert_num_queries(1):
        assert set(eligible_ids(use_case, reader, 2)) == set(ids(books[1:]))
    with django_assert_num_queries(1):
        assert eligible_ids(use_case, reader, 1) is None


def test_an_item_that_comes_several_times_counts_once(reader, books):
    Reading.objects.bulk_create(Reading(reader=reader, book=books[0], kind="view") for _ in range(5))
    Reading.objects.create(reader=reader, book=books[1], kind="view")
    filters = parse_filters(get_use_case("books"), {"met_with": ["view"]})
    for limit in (2, 3, 5, 6, 7):
        found = eligible_ids(get_use_case("books"), reader, limit, filters)
        assert sorted(found) == sorted(ids(books[:2]))
    assert eligible_ids(get_use_case("books"), reader, 1, filters) is None


def test_filters_narrow_every_question(reader, books):
    Book.objects.filter(pk=books[1].pk).update(genre="tea")
    use_case, filters = get_use_case("books"), parse_filters(get_use_case("books"), {"genre": ["tea"]})
    assert list(eligible_items(use_case, reader, ids(books), filters)) == [books[1].pk]
    assert newest_eligible(use_case, reader, 9, (), filters) == [books[1]]
    assert newest_eligible(use_case, reader, 9, [books[1].pk], filters) == []
    Reading.objects.create(reader=reader, book=books[1], kind="finish")
    assert eligible_items(use_case, reader, ids(books), filters) == {}


def test_hidden_ids_come_once_and_only_those_of_the_reader(reader, books, django_assert_num_queries):
    for kind in ("finish", "dislike", "dislike", "like"):
        Reading.objects.create(reader=reader, book=books[0], kind=kind)
    Reading.objects.create(reader=Reader.objects.create(name="Bob"), book=books[1], kind="finish")
    with django_assert_num_queries(1):
        assert hidden_ids(get_use_case("books"), reader) == [books[0].pk]
    with django_assert_num_queries(0):
        assert (
            hidden_ids(use_case_with(hide_after=()), reader) == hidden_ids(use_case_with(interactions=()), reader) == []
        )


def test_what_the_request_has_read_is_hidden_without_being_looked_for_again(books, reader):
    use_case = get_use_case("books")
    with CaptureQueriesContext(connection) as queries:
        shown = eligible_items(use_case, reader, ids(books), hidden_ids=[str(books[0].pk)])
    assert set(shown) == {books[1].pk, books[2].pk}
    assert [each["sql"] for each in queries if "toyhost_reading" in each["sql"]] == []
