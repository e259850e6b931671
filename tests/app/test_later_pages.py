"""Later pages of a slate are arranged like the first one, and their log says what was left to chance."""

from uuid import UUID

import numpy as np
import pytest
from django.utils import timezone

from recommender_app.models import RequestLog
from recommender_app.serving.arrange import Arrangement, arrange
from recommender_app.serving.arranging.later import later_pages
from recommender_app.serving.cursors import Place, Rest, read_cursor, write_cursor
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.pool import EXPLORATION, Candidate
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from recommender_app.usecases.rules import Boost, Pin, Quota
from tests.app import library
from tests.toyhost.models import Book
from tests.toyhost.recommendations import BooksForReaders

OWNER = ("books", "7", "")


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "OVERFETCH": (2, 4)}


def pages_of(order, limit, **values):
    """Return the answers of all pages where the engine's order is ``order``."""
    reader, answers, cursor = library.add_reader(), [], "first"
    policy = Policy("test", ((0, "fixed"),), **values)
    with override_engine("books", FixedEngine([book.pk for book in order])), forced_policy("books", policy):
        while cursor:
            answers.append(recommend(reader, "books", limit, cursor=cursor))
            cursor = answers[-1].next_cursor
    return answers


def genres(answers):
    return [sorted(result.item.genre for result in answer.results) for answer in answers]


@pytest.mark.django_db
def test_caps_hold_on_every_page_far_behind_what_the_first_one_chose_from():
    answers = pages_of(library.add_shelves(9), 2, caps={"genre": 1})
    assert genres(answers) == [["sea", "tea"]] * 9


@pytest.mark.django_db
def test_every_page_is_as_varied_as_the_first():
    books = library.add_shelves(10)
    order = [book for place in range(0, 10, 2) for book in (*books[place : place + 2], *books[place + 10 :][:2])]
    answers = pages_of(order, 2, diversity=1.0)
    assert genres(answers) == [["sea", "tea"]] * 10


@pytest.mark.django_db
def test_quotas_are_filled_on_every_page_as_long_as_there_is_something(monkeypatch):
    books = library.add_shelves(6)
    monkeypatch.setattr(BooksForReaders, "rules", (Quota(where={"genre": "sea"}, count=1, out_of=3),))
    assert [page.count("sea") for page in genres(pages_of(books, 3))] == [1, 1, 1, 3]


@pytest.mark.django_db
@pytest.mark.parametrize("n_first", [0, 7])
def test_quotas_are_filled_on_every_page_with_what_no_engine_proposed(settings, monkeypatch, n_first):
    """Whether the engine knows no book about the sea, or as many as all pages need and wants them all at once."""
    settings.RECOMMENDER = {**settings.RECOMMENDER, "PAGE_SLATE": 20}
    sea = library.add_books(*[f"sea-{place}" for place in range(15)])
    tea = library.add_books(*[f"tea-{place}" for place in range(40)])
    monkeypatch.setattr(BooksForReaders, "rules", (Quota(where={"genre": "sea"}, count=1, out_of=3),))
    answers = pages_of([*sea[:n_first], *tea], 3)
    shown = [page.count("sea") for page in genres(answers)]
    assert shown[:6] == ([1] * 6 if n_first == 0 else [3, 3, 1, 1, 1, 1])
    ids = [result.id for answer in answers for result in answer.results]
    assert len(ids) == len(set(ids)) == 20


@pytest.mark.django_db
def test_boosts_reorder_every_page_and_pins_have_their_places_on_the_first_one(monkeypatch):
    books = library.add_shelves(4)
    rules = (Boost(where={"genre": "sea"}, factor=9), Pin(item_ids=[books[3].pk], position=1))
    monkeypatch.setattr(BooksForReaders, "rules", rules)
    titles = [library.titles(answer.results) for answer in pages_of([books[0], books[4], *books[1:4], *books[5:]], 2)]
    assert titles[0] == ["tea-3", "sea-0"]
    assert sorted(title for page in titles for title in page) == sorted(book.title for book in books)


@pytest.mark.django_db
def test_the_log_of_a_later_page_says_how_likely_each_place_was():
    books = library.add_shelves(6)
    new = {Book.objects.create(title=f"moon-{place}", genre="moon", created_at=timezone.now()).pk for place in range(9)}
    answers = pages_of(books, 3, exploration=0.5)
    rows = {row.request_id: row.results for row in RequestLog.objects.all()}
    explored = 0
    for answer in answers:
        logged = [place["propensity"] for place in rows[answer.request_id]]
        assert logged == [result.propensity for result in answer.results]
        assert all(0 < propensity <= 1 for propensity in logged)
        explored += sum(result.source == EXPLORATION and result.id in new for result in answer.results[:3])
    assert len(answers) > 3
    assert explored


def test_the_propensities_of_a_second_page_are_those_given_the_first():
    """The mean of 1 / propensity at a place is the number of items that could have stood there."""
    pool = [Candidate(f"old {place}", 0.0, "als", None) for place in range(4)]
    newcomers = tuple(Candidate(f"new {place}", 0.0, EXPLORATION, None) for place in range(6))
    found, possible = [], []
    for seed in range(0, 8000, 2):  # a page has the seed after that of the page before it
        context = Arrangement(Policy("test", (), exploration=0.4), newcomers=newcomers, seed=seed)
        first = arrange(pool, 2, context)
        second = later_pages(pool, (), first, 2, context)[:2]
        found.append(1 / second[0].propensity)
        possible.append(1 + n_left(newcomers, first))
    assert np.mean(found) == pytest.approx(np.mean(possible), rel=0.06)


def n_left(newcomers, page):
    shown = {candidate.id for candidate in page}
    return sum(candidate.id not in shown for candidate in newcomers)


def test_a_cursor_keeps_propensities_and_says_none_where_there_is_none():
    ids = [UUID(int=number << 64) for number in range(3)]
    places = tuple(Place(item_id, 0.5, "als", chance) for item_id, chance in zip(ids, (0.25, None, 1.0), strict=True))
    rest = Rest(places, 3, UUID(int=1))
    assert read_cursor(write_cursor(rest, OWNER), OWNER) == rest


def test_a_hundred_places_with_propensities_and_uuids_fit_into_a_cursor():
    rng = np.random.default_rng(1)
    keys = [UUID(bytes=rng.bytes(16)) for _ in range(100)]
    places = tuple(Place(key, float(rng.random()), "als", float(rng.random())) for key in keys)
    rest = Rest(places, 1, UUID(int=1), 3, {"als": "als_v3", "two_tower": "two_tower_v3"}, "als", "not_enough_items")
    assert len(read_cursor(write_cursor(rest, OWNER), OWNER).places) == 100
