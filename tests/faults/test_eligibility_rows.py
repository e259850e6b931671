"""Rows 60, 61 and 62: items that went away, users who have seen everything, catalogues smaller than the list."""

import pytest
from django.test import Client

from recommender_app.models import RequestLog
from tests.app import library
from tests.toyhost.models import Book

pytestmark = pytest.mark.django_db
URL = "/api/recommendations/books/"


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    values = {"ARTIFACT_ROOT": str(tmp_path), "COLD_START_THRESHOLD": 1, "SLATE_CACHE_SECONDS": 60.0}
    settings.RECOMMENDER = {**settings.RECOMMENDER, **values}


@pytest.fixture
def books():
    """Six books, in live models that prefer them in this order."""
    found = library.add_shelves(3)
    library.publish("als_v1", library.als_engine(found), found)
    library.publish("popular_v1", library.popular_engine(found), found)
    library.put_live(1, "als_v1", "popular_v1")
    return found


def ask(reader, limit=10, **parameters):
    """Return the titles of an answer over HTTP, which must be unique and ranked 1..n."""
    client = Client()
    client.force_login(reader.account)
    response = client.get(URL, {"limit": limit, **parameters})
    assert response.status_code == 200
    results = response.json()["results"]
    assert [result["rank"] for result in results] == list(range(1, len(results) + 1))
    titles = [result["item"]["label"] for result in results]
    assert len(set(titles)) == len(titles)
    return titles


@pytest.mark.parametrize("likes", [0, 1], ids=["popular", "als"])
@pytest.mark.parametrize("how", ["hidden", "deleted"])
def test_row_60_what_was_hidden_or_deleted_after_training_is_not_in_the_next_answer(books, how, likes):
    reader = library.add_reader(likes=tuple(books[:likes]))
    assert ask(reader, 3) == ["tea-0", "tea-1", "tea-2"]
    gone = Book.objects.filter(pk=books[1].pk)
    if how == "hidden":
        gone.update(is_published=False)
    else:
        gone.delete()
    assert "tea-1" not in ask(reader, 3)
    assert len(ask(reader, 3)) == 3
    assert set(ask(reader)) == {"tea-0", "tea-2", "sea-0", "sea-1", "sea-2"}


@pytest.mark.parametrize("how", ["hidden", "deleted"])
def test_row_60_a_page_that_was_fixed_before_leaves_them_out_too(books, how):
    reader = library.add_reader(likes=(books[0],))
    client = Client()
    client.force_login(reader.account)
    following = client.get(URL, {"limit": 2, "cursor": "first"}).json()["next"]
    rest = Book.objects.filter(pk__in=[books[2].pk, books[3].pk])
    rest.update(is_published=False) if how == "hidden" else rest.delete()
    results = client.get(following).json()["results"]
    assert [result["rank"] for result in results] == [3, 4]
    assert {result["item"]["label"] for result in results} == {"sea-1", "sea-2"}


def test_row_60_models_of_which_nothing_is_left_give_way_to_what_there_is(books):
    reader = library.add_reader(likes=(books[0],))
    Book.objects.all().delete()
    library.add_books("moon-0", "moon-1")
    assert ask(reader) == ["moon-1", "moon-0"]
    assert RequestLog.objects.get().engine == "newest"


def test_row_61_a_reader_who_finished_everything_gets_an_empty_list(books):
    reader = library.add_reader()
    for book in books:
        library.read(reader, book, "finish")
    assert ask(reader) == []
    log = RequestLog.objects.get()
    assert (log.engine, log.fallback_reason) == ("none", "empty_catalogue")


def test_row_61_a_reader_who_finished_all_but_one_gets_that_one(books):
    reader = library.add_reader()
    for book in books[:5]:
        library.read(reader, book, "finish")
        library.read(reader, book, "view")
    assert ask(reader) == ["sea-2"]
    library.read(reader, books[5], "dislike")
    assert ask(reader) == []
    library.add_books("new-0")
    assert ask(reader) == ["new-0"]


def test_row_61_what_was_only_seen_may_be_shown_again(books):
    reader = library.add_reader()
    for book in books:
        library.read(reader, book, "view")
    assert len(ask(reader)) == len(books)


@pytest.mark.parametrize("likes", [0, 1], ids=["popular", "als"])
def test_row_62_a_catalogue_smaller_than_the_limit_gives_a_shorter_list(books, likes):
    reader = library.add_reader(likes=tuple(books[:likes]))
    assert sorted(ask(reader, 100)) == sorted(book.title for book in books)
    Book.objects.exclude(pk=books[4].pk).delete()
    assert ask(reader, 100) == ["sea-1"]
    assert all(result["score"] >= 0 for log in RequestLog.objects.all() for result in log.results)  # no padding


def test_row_62_no_item_at_all_is_an_empty_list_whatever_the_filters(books):
    reader = library.add_reader()
    Book.objects.all().delete()
    assert ask(reader, 100) == ask(reader, 1, genre="tea") == ask(reader, 5, cursor="first") == []
