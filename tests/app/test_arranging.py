"""Caps, diversity, fatigue and exploration of real requests."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommender_app.models import BusinessRule, RequestLog
from recommender_app.registry.rules import save_rule
from recommender_app.serving.arranging.exploration import explored
from recommender_app.serving.arranging.slate import slate_of
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.pool import EXPLORATION, Candidate
from recommender_app.serving.query import Query
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from recommender_app.usecases.filters import parse_filters
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


def test_at_most_two_books_of_a_genre(books, reader):
    with engine_of(books):
        assert titles(reader, 4, caps={"genre": 2}) == ["tea-0", "tea-1", "sea-0", "sea-1"]


def test_diversity_by_declared_categories_where_there_is_no_content_engine(books, reader):
    with engine_of(books):
        assert titles(reader, 3, diversity=0.7) == ["tea-0", "sea-0", "tea-1"]


def test_scores_and_sources_stay_those_of_the_engine_and_ranks_follow_the_slate(books, reader):
    with engine_of(books), policy(caps={"genre": 1}):
        results = recommend(reader, "books", 2).results
    assert [(result.rank, result.score, result.source) for result in results] == [(1, 12.0, "fixed"), (2, 6.0, "fixed")]


def test_attributes_cost_no_query_where_the_items_hold_them_and_one_per_relation_of_many(books, reader, monkeypatch):
    monkeypatch.setattr(BooksForReaders, "rule_attributes", ("pages", "reading__kind"))
    with engine_of(books):
        counts = []
        for caps in ({}, {"genre": 2}, {"genre": 2, "pages": 3}, {"genre": 2, "reading__kind": 2}):
            titles(reader, 4, caps=caps)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                titles(reader, 4, caps=caps)
            counts.append(len(queries))
    assert [count - counts[0] for count in counts] == [0, 0, 0, 1]


def test_deferred_fields_cost_one_query_not_one_per_item(books, reader, monkeypatch):
    monkeypatch.setattr(BooksForReaders, "get_items", lambda self, user: Book.objects.only("title"))
    with engine_of(books):
        with CaptureQueriesContext(connection) as plain:
            titles(reader, 4)
        with CaptureQueriesContext(connection) as capped:
            assert titles(reader, 4, caps={"genre": 2}) == ["tea-0", "tea-1", "sea-0", "sea-1"]
    assert len(capped) == len(plain) + 1


def test_an_attribute_that_nobody_declared_is_never_looked_up(books, reader):
    with engine_of(books), CaptureQueriesContext(connection) as queries:
        assert titles(reader, 2, caps={"reading__reader__account__password": 1}) == ["tea-0", "tea-1"]
    assert not [query for query in queries if "password" in query["sql"]]


def test_without_rules_and_rearranging_a_request_costs_no_more_queries(books, reader, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "RELOAD_SECONDS": 3600.0}
    with engine_of(books):
        titles(reader, 4)
        with CaptureQueriesContext(connection) as queries:
            titles(reader, 4)
    assert not [query for query in queries if "businessrule" in query["sql"]]
    assert not [query for query in queries if "SELECT" in query["sql"] and "requestlog" in query["sql"]]


def test_what_was_shown_twice_and_ignored_sinks_until_the_reader_cares(books, reader):
    with engine_of(books[:4]):
        assert titles(reader, 2, fatigue_after=2) == ["tea-0", "tea-1"]
        assert titles(reader, 2, fatigue_after=2) == ["tea-0", "tea-1"]
        assert titles(reader, 4, fatigue_after=2) == ["tea-2", "tea-3", "tea-0", "tea-1"]
        library.read(reader, books[1], "view")
        assert titles(reader, 4, fatigue_after=2)[:3] == ["tea-1", "tea-2", "tea-3"]


def test_showings_long_ago_and_to_others_tire_nobody(books, reader):
    with engine_of(books):
        for _ in range(3):
            titles(library.add_reader(f"bob{_}"), 2)
            titles(reader, 2)
        RequestLog.objects.filter(user_id=str(reader.pk)).update(created_at=timezone.now() - timedelta(days=15))
        assert titles(reader, 2, fatigue_after=2) == ["tea-0", "tea-1"]


def test_fatigue_costs_one_query_and_only_where_the_policy_asks(books, reader):
    with engine_of(books):
        with CaptureQueriesContext(connection) as without:
            titles(reader, 2)
        with CaptureQueriesContext(connection) as asked:
            titles(reader, 2, fatigue_after=3)
    assert len(asked) == len(without) + 1


def test_exploration_shows_new_books_and_logs_how_likely_each_place_was(books, reader):
    new = {str(Book.objects.create(title=f"moon-{place}", genre="moon").pk) for place in range(4)}
    shown = 0
    with engine_of(books), policy(exploration=0.5):
        for _ in range(20):
            answer = recommend(reader, "books", 4)
            row = RequestLog.objects.get(request_id=answer.request_id)
            assert len(row.results) == 4
            for result in row.results:
                assert 0 < result["propensity"] <= 1
                assert (result["item"] in new) == (result["source"] == EXPLORATION)
                if result["item"] in new:
                    assert result["propensity"] == pytest.approx(0.5 / 4)
                    shown += 1
            assert answer.engine in ("fixed", EXPLORATION)
    assert 10 < shown < 70


def test_books_laid_over_the_engine_are_explored_however_old_they_are(books, reader):
    query = Query(get_use_case("books"), reader, 2)
    pool = [Candidate(book.pk, 1.0, "als", book, is_overlay=book.title == "sea-5") for book in books]
    policy = Policy("test", ((0, "als"),), exploration=0.5)
    shown = Counter()
    for number in range(20):
        slate = slate_of(query, policy, pool, UUID(int=number), None, {})
        shown.update((candidate.item.title, candidate.source) for candidate in slate)
    assert {title for title, _ in shown} == {"tea-0", "tea-1", "sea-5"}
    assert 1 <= shown["sea-5", "als"] <= 19


def test_narrow_filters_leave_something_to_choose_from(reader):
    books = library.add_books(*[f"sea-{place}" for place in range(60)], *[f"moon-{place}" for place in range(6)])
    publish("bury", condition={}, item_ids=[str(book.pk) for book in books[60:62]], factor=0)
    filters = parse_filters(get_use_case("books"), {"genre": ["moon"]})
    with engine_of(books), policy():
        answer = recommend(reader, "books", 2, filters=filters)
    assert library.titles(answer.results) == ["moon-2", "moon-3"]


def test_old_books_are_not_explored(books, reader):
    with engine_of(books):
        assert titles(reader, 4, exploration=0.5) == ["tea-0", "tea-1", "tea-2", "tea-3"]


def test_the_second_page_goes_on_where_the_arranged_first_one_stopped(books, reader):
    publish("pin", item_ids=[str(books[3].pk)], position=1)
    with engine_of(books), policy(caps={"genre": 2}):
        first = recommend(reader, "books", 4, cursor="first")
        second = recommend(reader, "books", 4, cursor=first.next_cursor)
    assert library.titles(first.results) == ["tea-3", "tea-0", "sea-0", "sea-1"]
    assert library.titles(second.results) == ["tea-1", "tea-2", "sea-2", "sea-3"]


@pytest.mark.parametrize(("n_chosen", "n_newcomers", "share"), [(4, 6, 0.3), (5, 2, 0.5), (3, 3, 0.1)])
def test_the_logged_propensity_is_how_often_it_happens(n_chosen, n_newcomers, share):
    chosen = [Candidate(f"old {place}", 0.0, "als", None) for place in range(n_chosen)]
    newcomers = [Candidate(f"new {place}", 0.0, EXPLORATION, None) for place in range(n_newcomers)]
    n_rounds, seen, said = 6000, Counter(), {}
    for seed in range(n_rounds):
        slate = explored(chosen, newcomers, share, seed, kept_ids={"old 1"})
        assert len({candidate.id for candidate in slate}) == len(slate) == n_chosen
        for place, candidate in enumerate(slate):
            seen[place, candidate.id] += 1
            assert said.setdefault((place, candidate.id), candidate.propensity) == candidate.propensity
    assert said[1, "old 1"] == 1.0
    for cell, propensity in said.items():
        error = 4.5 * np.sqrt(propensity * (1 - propensity) / n_rounds)
        assert abs(seen[cell] / n_rounds - propensity) <= error + 1e-12, cell
    for place in range(n_chosen):
        assert sum(propensity for cell, propensity in said.items() if cell[0] == place) == pytest.approx(1.0, abs=0.02)


def test_the_same_seed_explores_the_same_way():
    chosen, newcomers = ([Candidate(f"{kind}{place}", 0.0, kind, None) for place in range(5)] for kind in ("a", "b"))
    assert explored(chosen, newcomers, 0.5, 7) == explored(chosen, newcomers, 0.5, 7)
    assert len({tuple(each.id for each in explored(chosen, newcomers, 0.5, seed)) for seed in range(20)}) > 1
