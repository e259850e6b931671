"""Caps and buries have enough to choose from: they hold wherever a full list could keep them."""

import re
from itertools import chain

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommender_app.serving.batch import begin_batch, lists_of
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from recommender_app.usecases.rules import Bury
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db
BURY = (Bury(where={"genre": "tea"}),)


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "RELOAD_SECONDS": 0.0}


@pytest.fixture
def books():
    """Ten on tea, ten on the sea, and so on: sixty."""
    return library.add_books(*[f"{('tea', 'sea')[place // 10 % 2]}-{place}" for place in range(60)])


def serving(books, **policy):
    return override_engine("books", FixedEngine([book.pk for book in books])), forced_policy(
        "books", Policy("test", ((0, "fixed"),), **policy)
    )


def genres(results):
    return [result.item.genre for result in results]


def pages_of(reader, limit):
    pages, cursor = [], "first"
    while cursor:
        answer = recommend(reader, "books", limit, cursor=cursor)
        pages.append(genres(answer.results))
        cursor = answer.next_cursor
    return pages


def test_a_cap_holds_though_the_first_ten_proposals_are_of_one_genre(books):
    engine, policy = serving(books, caps={"genre": 1})
    with engine, policy:
        assert genres(recommend(library.add_reader(), "books", 2).results) == ["tea", "sea"]


def test_a_bury_holds_though_the_first_ten_proposals_are_buried(books, monkeypatch):
    monkeypatch.setattr(BooksForReaders, "rules", BURY)
    engine, policy = serving(books)
    with engine, policy:
        assert genres(recommend(library.add_reader(), "books", 2).results) == ["sea", "sea"]


def test_all_pages_keep_the_cap_while_a_page_can(books):
    engine, policy = serving(books, caps={"genre": 1})
    with engine, policy:
        pages = pages_of(library.add_reader(), 2)
    assert [sorted(page) for page in pages] == [["sea", "tea"]] * 30


def test_what_is_buried_comes_after_all_pages_of_the_rest(books, monkeypatch):
    monkeypatch.setattr(BooksForReaders, "rules", BURY)
    engine, policy = serving(books)
    with engine, policy:
        pages = pages_of(library.add_reader(), 2)
    assert list(chain.from_iterable(pages)) == ["sea"] * 30 + ["tea"] * 30


def test_a_cap_holds_where_nothing_is_live_too():
    library.add_books("sea-0", *[f"tea-{place}" for place in range(10)])  # the tea is newer
    with forced_policy("books", Policy("test", ((0, "newest"),), caps={"genre": 1})):
        assert genres(recommend(library.add_reader(), "books", 2).results) == ["tea", "sea"]


def test_a_bury_holds_where_nothing_is_live_too(monkeypatch):
    library.add_books("sea-0", *[f"tea-{place}" for place in range(10)])
    monkeypatch.setattr(BooksForReaders, "rules", BURY)
    assert genres(recommend(library.add_reader(), "books", 2).results) == ["sea", "tea"]


def test_lists_of_many_users_are_those_of_single_requests(books, monkeypatch):
    monkeypatch.setattr(BooksForReaders, "rules", BURY)
    readers = [library.add_reader(name) for name in ("ann", "bob")]
    engine, policy = serving(books, caps={"pages": 1})
    with engine, policy:
        batch = begin_batch(get_use_case("books"), 2)
        found = {user.pk: genres(answer.results) for user, answer in lists_of(batch, readers)}
    assert found == {reader.pk: ["sea", "sea"] for reader in readers}


@pytest.mark.parametrize(("caps", "n_read"), [({}, 8), ({"genre": 1}, 40)])
def test_only_where_caps_ask_for_it_more_is_read(books, caps, n_read):
    engine, policy = serving(books, caps=caps)
    reader = library.add_reader()
    with engine, policy, CaptureQueriesContext(connection) as queries:
        recommend(reader, "books", 2)
    (read,) = [query["sql"] for query in queries if '"toyhost_book"."id" IN (' in query["sql"]]
    assert len(re.findall("'[0-9a-f]{32}'", read)) == n_read
