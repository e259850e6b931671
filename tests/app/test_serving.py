"""``recommend``: full, unique, allowed lists, whatever is broken."""

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from recommender_app.engines.base import Engine
from recommender_app.exceptions import UnknownUseCase
from recommender_app.models import RequestLog
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from tests.app import library
from tests.toyhost.models import Book

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "COLD_START_THRESHOLD": 1}
    return tmp_path


def put_als_and_popular_live(books):
    library.publish("als_v1", library.als_engine(books), books)
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "als_v1", "popular_v1")


def test_the_routed_engine_answers_with_what_the_reader_likes():
    books = library.add_shelves()
    put_als_and_popular_live(books)
    answer = recommend(library.add_reader(likes=(books[8],)), "books", 3)
    assert library.titles(answer.results) == ["sea-0", "sea-1", "sea-2"]
    assert (answer.engine, answer.model_version, answer.release) == ("als", "als_v1", 1)
    assert (answer.fallback_reason, answer.interaction_count, answer.policy) == ("", 1, "default")
    assert [result.rank for result in answer.results] == [1, 2, 3]
    assert {result.source for result in answer.results} == {"als"}
    assert answer.latency_ms > 0
    assert answer.engine_ms.keys() == {"als"}


def test_a_new_interaction_changes_the_list_with_no_training_in_between():
    books = library.add_shelves()
    put_als_and_popular_live(books)
    reader = library.add_reader(likes=(books[0],))
    assert library.titles(recommend(reader, "books", 2).results) == ["tea-0", "tea-1"]
    library.read(reader, books[6], "finish")
    library.read(reader, books[7], "finish")
    assert library.titles(recommend(reader, "books", 2).results) == ["sea-2", "sea-3"]


def test_a_reader_without_history_gets_what_is_popular():
    books = library.add_shelves()
    put_als_and_popular_live(books)
    answer = recommend(library.add_reader(), "books", 2)
    assert library.titles(answer.results) == ["tea-0", "tea-1"]
    assert (answer.engine, answer.model_version) == ("popular", "popular_v1")
    assert answer.fallback_reason == "no_model"  # the routed content engine does not exist


def test_a_reader_who_only_disliked_is_not_asked_of_als():
    books = library.add_shelves()
    put_als_and_popular_live(books)
    reader = library.add_reader()
    library.read(reader, books[0], "dislike")
    answer = recommend(reader, "books", 2)
    assert (answer.engine, answer.fallback_reason) == ("popular", "no_history")
    assert library.titles(answer.results) == ["tea-1", "tea-2"]


def test_a_history_of_items_that_als_has_never_met_is_no_history():
    books = library.add_shelves()
    put_als_and_popular_live(books)
    (new,) = library.add_books("moon-0")
    answer = recommend(library.add_reader(likes=(new,)), "books", 2)
    assert (answer.engine, answer.fallback_reason) == ("popular", "no_history")


def test_without_any_release_the_newest_items_are_shown():
    library.add_shelves(2)
    answer = recommend(library.add_reader(), "books", 3)
    assert library.titles(answer.results) == ["sea-1", "sea-0", "tea-1"]
    assert (answer.engine, answer.model_version, answer.release) == ("newest", "", None)
    assert answer.fallback_reason == "no_model"


def test_an_empty_catalogue_is_an_empty_answer():
    answer = recommend(library.add_reader(), "books")
    assert answer.results == ()
    assert (answer.engine, answer.fallback_reason) == ("none", "empty_catalogue")


def test_items_that_the_engine_lacks_top_the_list_up():
    books = library.add_shelves(2)
    put_als_and_popular_live(books)
    library.add_books("moon-0", "moon-1")
    answer = recommend(library.add_reader(likes=(books[0],)), "books", 6)
    assert library.titles(answer.results)[-2:] == ["moon-1", "moon-0"]
    assert [result.source for result in answer.results] == ["als"] * 4 + ["newest"] * 2
    assert (answer.engine, answer.fallback_reason) == ("als", "not_enough_items")


def test_a_short_list_is_no_fallback_when_there_is_nothing_else():
    books = library.add_shelves(2)
    put_als_and_popular_live(books)
    answer = recommend(library.add_reader(likes=(books[0],)), "books", 50)
    assert (len(answer.results), answer.fallback_reason) == (4, "")


def test_a_hidden_item_vanishes_at_once():
    books = library.add_shelves()
    put_als_and_popular_live(books)
    reader = library.add_reader(likes=(books[0],))
    assert "tea-0" in library.titles(recommend(reader, "books", 4).results)
    Book.objects.filter(pk=books[0].pk).update(is_published=False)
    assert "tea-0" not in library.titles(recommend(reader, "books", 4).results)


def test_when_most_proposals_are_hidden_the_list_is_still_full():
    books = library.add_shelves(60)
    put_als_and_popular_live(books)
    reader = library.add_reader(likes=(books[0],))
    Book.objects.filter(pk__in=[book.pk for book in books[:50]]).update(is_published=False)
    answer = recommend(reader, "books", 5)
    assert library.titles(answer.results) == [f"tea-{place}" for place in range(50, 55)]
    assert answer.fallback_reason == ""


def test_a_reader_who_finished_hundreds_still_gets_what_the_engine_thinks():
    books = library.add_shelves(300)
    put_als_and_popular_live(books)
    reader = library.add_reader()
    for book in books[:280]:
        library.read(reader, book, "finish")
    answer = recommend(reader, "books", 5)
    assert library.titles(answer.results) == [f"tea-{place}" for place in range(280, 285)]
    assert answer.engine == "als"


@pytest.mark.parametrize("event", ["finish", "dislike"])
@pytest.mark.parametrize("engines", [("als", "popular"), ("popular",), ()])
def test_what_hides_an_item_hides_it_on_every_path(event, engines):
    books = library.add_shelves(3)
    library.publish("als_v1", library.als_engine(books), books)
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, *[f"{engine}_v1" for engine in engines])
    reader = library.add_reader(likes=(books[1],))
    library.read(reader, books[0], event)
    answer = recommend(reader, "books", 50)
    assert sorted(library.titles(answer.results)) == ["sea-0", "sea-1", "sea-2", "tea-1", "tea-2"]


def test_a_failing_engine_is_replaced_and_logged_once(caplog):
    books = library.add_shelves(2)
    with override_engine("books", FixedEngine([book.pk for book in books], fails=True)):
        answer = recommend(library.add_reader(), "books", 2)
    assert (answer.engine, answer.fallback_reason) == ("newest", "engine_failed")
    assert len(answer.results) == 2
    (record,) = [record for record in caplog.records if record.exc_info]
    assert str(answer.request_id) in record.getMessage()
    assert "fixed" in record.getMessage()


class Rubbish(Engine):
    """Breaks the contract: duplicates, rows outside, scores that are not finite."""

    key = "rubbish"
    covers_new_users = True

    def __init__(self, n_items, rows, scores):
        self._n_items, self.rows, self.scores = n_items, rows, scores

    @property
    def n_items(self):
        return self._n_items

    def candidates(self, batch, k, exclude=None):
        return np.array([self.rows]), np.array([self.scores], dtype=np.float64)

    def score(self, batch, items=None):
        raise NotImplementedError

    def state(self):
        return {}

    @classmethod
    def from_state(cls, arrays):
        raise NotImplementedError


@given(
    proposals=st.lists(st.tuples(st.integers(-3, 12), st.floats(width=32)), max_size=30),
    hidden=st.sets(st.integers(0, 7)),
    limit=st.integers(1, 12),
)
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_an_engine_says_the_list_is_full_unique_allowed_and_finite(proposals, hidden, limit):
    Book.objects.all().delete()
    books = library.add_shelves(4)
    shown = {book.pk for place, book in enumerate(books) if place not in hidden}
    Book.objects.exclude(pk__in=shown).update(is_published=False)
    engine = Rubbish(8, [row for row, _ in proposals], [score for _, score in proposals])
    reader = library.Reader.objects.create(name="ann")
    with override_engine("books", engine, library.ids_of(books)):
        results = recommend(reader, "books", limit).results
    ids = [result.id for result in results]
    assert len(ids) == len(set(ids)) == min(limit, len(shown))
    assert set(ids) <= shown
    assert np.isfinite([result.score for result in results]).all()


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_limit_out_of_range_is_the_callers_mistake(limit):
    with pytest.raises(ValueError, match="between 1 and 100"):
        recommend(library.add_reader(), "books", limit)


def test_an_unknown_use_case_is_named():
    with pytest.raises(UnknownUseCase, match="no_such"):
        recommend(library.add_reader(), "no_such")


@pytest.mark.parametrize("n_books", [3, 60])
def test_the_number_of_queries_does_not_grow(n_books):
    books = library.add_shelves(n_books)
    put_als_and_popular_live(books)
    reader = library.add_reader(likes=tuple(books[:3]))
    recommend(reader, "books", 3)
    queries = queries_of(lambda: recommend(reader, "books", 3))
    kinds = [query.split(" ", 1)[0] for query in queries]
    assert kinds == ["SELECT"] * 2 + ["INSERT"], queries  # history, eligibility with the names of reasons, log


def queries_of(function):
    """Return the statements of a call, savepoints left out."""
    with CaptureQueriesContext(connection) as captured:
        function()
    statements = [query["sql"] for query in captured.captured_queries]
    return [sql for sql in statements if "SAVEPOINT" not in sql]


def test_without_the_database_the_answer_is_empty_and_says_so(caplog):
    library.add_shelves(2)
    reader = library.add_reader()
    with connection.execute_wrapper(library.refuse):
        answer = recommend(reader, "books", 2)
    assert answer.results == ()
    assert (answer.engine, answer.fallback_reason) == ("none", "database_unavailable")
    assert RequestLog.objects.count() == 0
    assert str(answer.request_id) in caplog.text
    assert recommend(reader, "books", 2).engine == "newest"  # the transaction is still usable
