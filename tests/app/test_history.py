"""What a user has done: order, weights, counts, number of queries."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import connection
from django.db.models import Case, Value, When

from recommender_app import Interactions
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from recommender_app.usecases.eligibility import shown_items
from recommender_app.usecases.history import load_history
from recommender_app.usecases.site import get_use_case
from tests.toyhost.models import Book, Reader, Reading
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db
NOW = datetime(2024, 1, 31, tzinfo=UTC)


def use_case_with(**attributes):
    return type("Changed", (BooksForReaders,), attributes)()


def source(**changes):
    return Interactions(**{"model": Reading, "user": "reader", "item": "book", "event": "kind", "at": "at"} | changes)


@pytest.fixture
def reader():
    return Reader.objects.create(name="Ada")


@pytest.fixture
def books():
    return [Book.objects.create(title=title) for title in "abc"]


def read(reader, book, kind, days_ago=1.0):
    return Reading.objects.create(reader=reader, book=book, kind=kind, at=NOW - timedelta(days=days_ago))


def load(reader, use_case=None, limit=10):
    return load_history(use_case or get_use_case("books"), reader, limit, now=NOW)


def test_items_come_most_recently_met_first_with_their_ages(reader, books, django_assert_num_queries):
    read(reader, books[0], "view", days_ago=3)
    read(reader, books[1], "like", days_ago=1)
    read(reader, books[2], "finish", days_ago=2)
    with django_assert_num_queries(1):
        history = load(reader)
    assert history.item_ids == [books[1].pk, books[2].pk, books[0].pk]
    assert history.weights.tolist() == [2.0, 3.0, 0.5]
    assert history.ages_days.tolist() == [1.0, 2.0, 3.0]
    assert history.weights.dtype == history.ages_days.dtype == np.float32
    assert history.interaction_count == 3


def test_nobody_elses_interactions_are_read(reader, books):
    read(Reader.objects.create(name="Bob"), books[0], "like")
    history = load(reader)
    assert history.item_ids == []
    assert history.weights.shape == history.ages_days.shape == (0,)
    assert history.interaction_count == 0


def test_several_interactions_with_a_book_are_one_pair_of_the_strongest_weight(reader, books):
    read(reader, books[0], "finish", days_ago=5)
    read(reader, books[0], "view", days_ago=2)
    history = load(reader)
    assert history.item_ids == [books[0].pk]
    assert history.weights.tolist() == [3.0]
    assert history.ages_days.tolist() == [2.0]
    assert history.interaction_count == 2


def test_pairs_may_be_summed(reader, books):
    read(reader, books[0], "finish", days_ago=5)
    read(reader, books[0], "view", days_ago=2)
    assert load(reader, use_case_with(pair_weighting="sum")).weights.tolist() == [3.5]


def test_a_last_dislike_makes_the_pair_negative(reader, books):
    read(reader, books[0], "finish", days_ago=5)
    read(reader, books[0], "dislike", days_ago=2)
    assert load(reader).weights.tolist() == [-1.0]


def test_the_same_event_twice_counts_once(reader, books):
    for days_ago in (1, 2, 3):
        read(reader, books[0], "view", days_ago=days_ago)
    assert load(reader).interaction_count == 1


def test_the_count_is_not_capped_with_the_history(reader, books, django_assert_num_queries):
    for days_ago, book in enumerate(books):
        read(reader, book, "view", days_ago)
        read(reader, book, "dislike", days_ago + 0.5)
    with django_assert_num_queries(2):
        history = load(reader, limit=2)
    assert history.item_ids == [books[0].pk]
    assert history.interaction_count == 6


def test_unknown_events_are_ignored_and_do_not_use_up_the_cap(reader, books):
    read(reader, books[0], "like", days_ago=2)
    read(reader, books[1], "sneezed_at", days_ago=1)
    history = load(reader, limit=1)
    assert history.item_ids == [books[0].pk]
    assert history.interaction_count == 1


def test_an_event_of_weight_zero_counts_but_is_no_taste(reader, books):
    read(reader, books[0], "view")
    history = load(reader, use_case_with(weights={"view": 0.0}))
    assert history.item_ids == []
    assert history.interaction_count == 1


def test_age_halves_the_weight(reader, books):
    read(reader, books[0], "like", days_ago=7)
    read(reader, books[1], "like", days_ago=14)
    assert load(reader, use_case_with(half_life_days=7)).weights.tolist() == [1.0, 0.5]


def test_an_interaction_in_the_future_is_as_fresh_as_now(reader, books):
    read(reader, books[0], "like", days_ago=-3)
    history = load(reader, use_case_with(half_life_days=7))
    assert (history.weights.tolist(), history.ages_days.tolist()) == ([2.0], [0.0])


def test_strength_multiplies_the_weight(reader, books):
    read(reader, books[0], "like")
    use_case = use_case_with(interactions=source(strength=Value(1.5)))
    assert load(reader, use_case).weights.tolist() == [3.0]


@pytest.mark.parametrize("strength", [Value(float("inf")), Value(None)])
def test_a_strength_that_is_no_number_is_skipped_not_raised(reader, books, strength):
    read(reader, books[0], "like")
    history = load(reader, use_case_with(interactions=source(strength=strength)))
    assert history.item_ids == []


def test_a_huge_strength_is_clipped_not_raised(reader, books):
    read(reader, books[0], "like")
    history = load(reader, use_case_with(interactions=source(strength=Value(1e9))))
    assert history.weights.tolist() == [1000.0]


def test_several_sources_are_one_query(reader, books, django_assert_num_queries):
    both = use_case_with(
        weights={"view": 0.5, "apply": 3.0},
        interactions=[source(), source(event=Value("apply"))],
    )
    read(reader, books[0], "view", days_ago=2)
    read(reader, books[1], "other", days_ago=1)
    with django_assert_num_queries(1):
        history = load(reader, both)
    assert dict(zip(history.item_ids, history.weights.tolist(), strict=True)) == {books[1].pk: 3.0, books[0].pk: 3.0}
    assert history.interaction_count == 3
    with django_assert_num_queries(2):
        assert load(reader, both, limit=1).interaction_count == 3


def test_an_event_may_be_computed_and_null_events_are_left_out(reader, books):
    kind = Case(When(kind="5", then=Value("like")), When(kind="1", then=Value("dislike")), default=None)
    for book, stars in zip(books, "531", strict=True):
        read(reader, book, stars)
    history = load(reader, use_case_with(interactions=source(event=kind)))
    assert dict(zip(history.item_ids, history.weights.tolist(), strict=True)) == {books[0].pk: 2.0, books[2].pk: -1.0}


def test_a_use_case_without_interactions_has_empty_histories(reader):
    assert load(reader, use_case_with(interactions=()), limit=0).interaction_count == 0


def test_item_and_user_may_be_reached_over_relations_and_be_missing(reader, books):
    """Books are the users here, accounts the items; a reader may have none."""
    read(reader, books[0], "like")
    accounts = use_case_with(interactions=source(user="book_id", item="reader__account"))
    assert load(books[0], accounts).interaction_count == 0
    reader.account_id = _account().pk
    reader.save()
    assert load(books[0], accounts).item_ids == [reader.account_id]


def _account():
    from django.contrib.auth.models import User

    return User.objects.create(username="ada")


def test_what_is_hidden_is_told_where_all_rows_of_weighted_events_are_read(reader, books):
    read(reader, books[0], "finish")
    read(reader, books[0], "dislike")
    read(reader, books[1], "like")
    assert load(reader).hidden_ids == (books[0].pk,)
    assert load(reader, limit=3).hidden_ids is None, "there may be more"
    assert load(reader, use_case_with(hide_after=("archive",))).hidden_ids is None, "an event without a weight"
    assert load(reader, use_case_with(hide_after=())).hidden_ids == ()


def ignore_case_of_events():
    """Give the column of the events a collation that holds "Finish" equal to "finish"."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("CREATE COLLATION any_case (provider=icu, locale='und-u-ks-level2', deterministic=false)")
            cursor.execute("ALTER TABLE toyhost_reading ALTER kind TYPE varchar(20) COLLATE any_case")
            return
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'toyhost_reading'")
        declared = cursor.fetchone()[0]
        cursor.execute("DROP TABLE toyhost_reading")
        cursor.execute(declared.replace('"kind" varchar(20)', '"kind" varchar(20) COLLATE NOCASE'))


def test_what_a_lax_collation_hides_is_not_shown_because_python_reads_more_strictly(reader, books):
    ignore_case_of_events()
    read(reader, books[0], "Finish")
    assert set(shown_items(get_use_case("books"), reader)) == set(books[1:]), "the database hides it"
    engine, policy = FixedEngine([book.pk for book in books]), Policy("test", ((0, "fixed"),))
    with override_engine("books", engine), forced_policy("books", policy):
        shown = [result.item for result in recommend(reader, "books", 3).results]
    assert shown == books[1:]
