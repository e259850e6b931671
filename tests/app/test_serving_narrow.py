"""Filters so narrow that proposing more than asked finds too little: what is left is scored directly."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recommender_app.engines.ensemble import EnsembleEngine
from recommender_app.serving.narrow import FewEligible, best_of_eligible
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.pool import Pool
from recommender_app.serving.query import checked_query
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from recommender_app.usecases.filters import parse_filters
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.toyhost.models import Book

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "COLD_START_THRESHOLD": 1}


@pytest.fixture
def books():
    """Sixty books on tea; the 40th to 45th best are rare."""
    found = library.add_books(*[f"tea-{place}" for place in range(60)])
    for book in found[40:45]:
        book.genre = "rare"
    Book.objects.bulk_update(found[40:45], ["genre"])
    return found


def filters(**data):
    return parse_filters(get_use_case("books"), {name: [value] for name, value in data.items()})


def ask(reader, limit, **data):
    with CaptureQueriesContext(
        connection,
    ) as context:
        answer = recommend(reader, "books", limit, filters=filters(**data))
    questions = [query["sql"] for query in context.captured_queries if 'FROM "toyhost_book"' in query["sql"]]
    return answer, questions


def engine_of(books, wanted=slice(None)):
    return FixedEngine([book.pk for book in books[wanted]])


def test_the_usual_path_asks_the_database_once_or_twice(books):
    reader = library.add_reader()
    with override_engine("books", engine_of(books)):
        answer, questions = ask(reader, 3)
        assert (len(answer.results), len(questions)) == (3, 1)
        Book.objects.filter(pk__in=[book.pk for book in books[:15]]).update(is_published=False)
        answer, questions = ask(reader, 3)
    assert library.titles(answer.results) == ["tea-15", "tea-16", "tea-17"]
    assert len(questions) == 2


def test_a_narrow_filter_is_answered_by_the_engine_in_its_own_order(books):
    reader = library.add_reader()
    with override_engine("books", engine_of(books)):
        answer, questions = ask(reader, 1, genre="rare")
        assert library.titles(answer.results) == ["tea-40"]
        answer, questions = ask(reader, 2, genre="rare")
    assert library.titles(answer.results) == ["tea-40", "tea-41"]
    assert (answer.engine, answer.fallback_reason) == ("fixed", "")
    assert [result.score for result in answer.results] == [20, 19]
    assert len(questions) <= 4  # x4, x20, the ids, the instances


def test_hidden_and_finished_items_are_not_scored(books):
    reader = library.add_reader()
    library.read(reader, books[40], "dislike")
    Book.objects.filter(pk=books[42].pk).update(is_published=False)
    with override_engine("books", engine_of(books)):
        answer, _ = ask(reader, 1, genre="rare")
        assert library.titles(answer.results) == ["tea-41"]
        answer, _ = ask(reader, 10, genre="rare")
    assert library.titles(answer.results) == ["tea-41", "tea-43", "tea-44"]


def test_where_too_many_remain_the_newest_fill_up(books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "DIRECT_SCORING_LIMIT": 4}
    with override_engine("books", engine_of(books)):
        answer, _ = ask(library.add_reader(), 1, genre="rare")
    assert library.titles(answer.results) == ["tea-44"]
    assert answer.engine == "newest"


def test_it_can_be_switched_off(books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "DIRECT_SCORING_LIMIT": 0}
    with override_engine("books", engine_of(books)):
        answer, questions = ask(library.add_reader(), 1, genre="rare")
    assert answer.engine == "newest"
    assert len(questions) == 3


def test_what_no_engine_knows_still_fills_the_list(books):
    with override_engine("books", engine_of(books, slice(0, 42))):
        answer, _ = ask(library.add_reader(), 4, genre="rare")
        assert [result.source for result in answer.results] == ["fixed", "fixed", "newest", "newest"]
        answer, _ = ask(library.add_reader("bob"), 1, genre="rare")
    assert library.titles(answer.results) == ["tea-40"]


def test_the_next_engine_scores_the_same_items_without_proposing_first(books):
    library.publish("als_v1", library.als_engine(books[:41]), books[:41])
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "als_v1", "popular_v1")
    reader = library.add_reader(likes=(books[0],))
    answer, questions = ask(reader, 1, genre="rare")
    assert library.titles(answer.results) == ["tea-40"]
    Book.objects.filter(pk=books[40].pk).update(genre="tea")
    answer, questions = ask(reader, 1, genre="rare")
    assert (library.titles(answer.results), answer.engine) == (["tea-41"], "popular")
    assert len(questions) == 4


class Broken(FixedEngine):
    """Proposes, but cannot score single items."""

    def score(self, batch, items=None):
        if items is not None:
            raise ValueError("no single items")
        return super().score(batch)


def test_an_engine_that_fails_there_is_left_out(books, caplog):
    with override_engine("books", Broken([book.pk for book in books])):
        answer, _ = ask(library.add_reader(), 1, genre="rare")
    assert (answer.engine, answer.fallback_reason) == ("newest", "engine_failed")
    assert "no single items" in caplog.text


def test_ids_are_read_once_and_each_once(books, django_assert_num_queries):
    reader = library.add_reader()
    for _ in range(3):
        library.read(reader, books[0], "view")
    library.read(reader, books[1], "view")
    few = FewEligible(checked_query(get_use_case("books"), reader, 5, filters(met_with="view")))
    assert not few.are_known
    with django_assert_num_queries(1):
        assert set(few.unjudged(Pool(5))) == {books[0].pk, books[1].pk}
        assert few.unjudged(Pool(5, judged={books[0].pk: None})) == [books[1].pk]
    assert few.are_known


def test_direct_scores_rank_like_the_whole_list(books):
    from recommender_app.serving.live import current
    from recommender_app.serving.request import ServingRequest
    from recommender_app.usecases.history import load_history

    reader = library.add_reader()
    with override_engine("books", engine_of(books)):
        release = current("books")
        request = ServingRequest(release.catalogue, load_history(get_use_case("books"), reader, 10), None)
        asked = [books[number].pk for number in (50, 3, 59, 3)] + [library.add_books("new-0")[0].pk]
        best = best_of_eligible("fixed", release.artifacts["fixed"], request, asked, 10)
        assert best == [(books[3].pk, 57.0), (books[50].pk, 10.0), (books[59].pk, 1.0)]
        assert best_of_eligible("fixed", release.artifacts["fixed"], request, asked, 1) == best[:1]
        assert best_of_eligible("fixed", release.artifacts["fixed"], request, [], 3) == []
    assert np.isfinite([score for _, score in best]).all()


@pytest.mark.parametrize("key", ["als", "popular", "ensemble"])
def test_a_real_engine_ranks_the_few_as_its_whole_list_does(books, key):
    """Members and ensemble each have rows of their own."""
    library.publish("als_v1", library.als_engine(books[:50]), books[:50])
    library.publish("popular_v1", library.popular_engine(books[20:]), books[20:])
    ensemble = EnsembleEngine({"als": 0.7, "popular": 0.3}, 1)
    library.publish("ensemble_v1", ensemble, books[:1])
    library.put_live(1, "als_v1", "popular_v1", "ensemble_v1")
    reader = library.add_reader(likes=(books[0], books[41]))
    with forced_policy("books", Policy("one", ((0, key),))):
        everything, _ = ask(reader, 60)
        few, _ = ask(reader, 2, genre="rare")
        alone, _ = ask(reader, 1, genre="rare")
    rare = [title for title in library.titles(everything.results) if title in {f"tea-{n}" for n in range(40, 45)}]
    assert library.titles(few.results) == rare[:2]
    assert library.titles(alone.results) == rare[:1]
    assert {result.source for result in few.results} == {key}
