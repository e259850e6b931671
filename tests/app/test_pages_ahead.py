"""What lies ahead of a first page: races with whoever publishes, and items that are listed several times."""

import pytest
from django.test import Client

from recommender_app.serving import service
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from tests.app import library
from tests.toyhost.models import Book, Reader, Reading
from tests.toyhost.recommendations import BooksForReaders

POLICY = Policy("test", ((0, "fixed"),))


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "PAGE_SLATE": 20}


@pytest.fixture
def publishing(monkeypatch):
    """A book is published after the page was chosen and before what is ahead of it is read."""
    look_ahead = service.candidates_ahead

    def publish_then_look(*args, **kwargs):
        library.add_books("new-1")
        return look_ahead(*args, **kwargs)

    monkeypatch.setattr(service, "candidates_ahead", publish_then_look)


@pytest.mark.django_db
def test_a_book_that_is_published_meanwhile_does_not_stand_on_the_first_page_unread(publishing):
    books, reader = library.add_shelves(1), library.add_reader()
    with override_engine("books", FixedEngine([book.pk for book in books])), forced_policy("books", POLICY):
        answer = recommend(reader, "books", 5, cursor="first")
    assert library.titles(answer.results) == ["tea-0", "sea-0"]


@pytest.mark.django_db
def test_over_http_too_each_result_has_its_item(publishing):
    books, reader, client = library.add_shelves(1), library.add_reader(), Client()
    client.force_login(reader.account)
    with override_engine("books", FixedEngine([book.pk for book in books])), forced_policy("books", POLICY):
        answer = client.get("/api/recommendations/books/?limit=5&cursor=first")
    assert answer.status_code == 200
    assert [result["item"]["id"] for result in answer.json()["results"]] == [str(book.pk) for book in books]


@pytest.mark.django_db
def test_books_that_are_listed_several_times_leave_no_page_out(monkeypatch):
    books, reader = library.add_shelves(10), library.add_reader()
    other = Reader.objects.create(name="z")
    Reading.objects.bulk_create(Reading(reader=other, book=book, kind="like") for book in books for _ in range(10))
    monkeypatch.setattr(BooksForReaders, "get_items", lambda *_: Book.objects.filter(reading__kind="like"))
    found, cursor = [], "first"
    with override_engine("books", FixedEngine([])), forced_policy("books", POLICY):
        while cursor:
            answer = recommend(reader, "books", 2, cursor=cursor)
            found.extend(result.id for result in answer.results)
            cursor = answer.next_cursor
    assert sorted(found) == sorted(book.pk for book in books)
