"""Similar items: alike, allowed, never the item itself, and always an answer."""

import time
import uuid

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse

from recommender_app.exceptions import ItemNotFound, UnknownUseCase
from recommender_app.models import RequestLog
from recommender_app.serving import breakers, live
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.serving.similar import similar_items
from recommender_app.usecases.items import item_key
from recommender_app.usecases.site import get_use_case
from tests.app import colours, library
from tests.app.test_serving import queries_of
from tests.faults.engines import FaultyEngine, serving
from tests.toyhost.models import Book

pytestmark = pytest.mark.django_db

ENGINES = ("item_graph", "als", "two_tower", "item_knn", "content_based")


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "OVERLAY_SECONDS": 0}
    return tmp_path


@pytest.fixture
def reader():
    return library.add_reader()


@pytest.fixture
def client(reader):
    found = Client()
    found.force_login(reader.account)
    return found


def address(item):
    return f"/api/recommendations/books/similar/{item}/"


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_similar_has_the_same_colour(reader, engine):
    books = colours.add_books()
    colours.publish(books, engine)
    answer = similar_items(reader, "books", books[1].pk, 3)
    assert (answer.engine, answer.model_version, answer.fallback_reason) == (engine, f"{engine}_v1", "")
    assert {result.item.genre for result in answer.results} == {"red"}
    assert books[1].pk not in [result.id for result in answer.results]
    assert [result.rank for result in answer.results] == [1, 2, 3]


def test_the_first_engine_of_the_order_answers_unless_it_is_switched_off(reader):
    books = colours.add_books()
    colours.publish(books, "als", "item_graph", "content_based")
    assert similar_items(reader, "books", books[1].pk, 2).engine == "item_graph"
    with forced_policy("books", Policy("one", (), disabled=frozenset({"item_graph"}))):
        assert similar_items(reader, "books", books[1].pk, 2).engine == "als"


def test_hidden_items_and_what_the_reader_is_done_with_are_left_out(reader):
    books = colours.add_books()
    colours.publish(books, "als")
    Book.objects.filter(pk=books[2].pk).update(is_published=False)
    library.read(reader, books[3], "finish")
    found = [result.id for result in similar_items(reader, "books", books[1].pk, 13).results]
    assert len(found) == len(set(found)) == 10
    assert not {books[1].pk, books[2].pk, books[3].pk} & set(found)


def test_an_item_that_the_reader_is_done_with_still_has_similar_ones(reader):
    books = colours.add_books()
    colours.publish(books, "als")
    library.read(reader, books[1], "finish")
    assert similar_items(reader, "books", books[1].pk, 3).engine == "als"


def test_a_new_item_is_compared_by_its_words(reader):
    books = colours.add_books()
    colours.publish(books, "als", "content_based")
    new = Book.objects.create(title="blue", genre="blue")
    answer = similar_items(reader, "books", new.pk, 4)
    assert answer.engine == "content_based"
    assert {result.item.genre for result in answer.results} == {"blue"}
    assert answer.fallback_reason == "not_enough_items"  # ALS was asked first


def test_without_a_model_the_newest_answer(reader):
    books = library.add_shelves(2)
    answer = similar_items(reader, "books", books[3].pk, 5)
    assert library.titles(answer.results) == ["sea-0", "tea-1", "tea-0"]
    assert (answer.engine, answer.fallback_reason, answer.release) == ("newest", "no_model", None)


def test_an_item_that_is_alone_has_nothing_similar(reader):
    (book,) = library.add_books("tea-0")
    answer = similar_items(reader, "books", book.pk)
    assert (answer.results, answer.engine, answer.fallback_reason) == ((), "none", "empty_catalogue")


def test_a_failing_engine_is_replaced(reader, monkeypatch, caplog):
    books = colours.add_books()
    colours.publish(books, "als", "content_based")
    engine = live.current("books").artifacts["als"].engine
    monkeypatch.setattr(type(engine), "similar", lambda *_: 1 / 0)
    answer = similar_items(reader, "books", books[1].pk, 3)
    assert (answer.engine, answer.fallback_reason) == ("content_based", "engine_failed")
    assert str(answer.request_id) in caplog.text


def test_an_engine_that_keeps_failing_is_left_alone_and_still_gives_lists():
    books = library.add_shelves(5)
    reader = library.add_reader(likes=(books[0],))
    asked = []

    class Unsociable(FaultyEngine):
        has_similar_items = True

        def similar(self, rows, k):
            asked.append(1)
            raise RuntimeError

    with serving({"als": Unsociable(books, None)}):
        for _ in range(12):
            assert len(similar_items(reader, "books", books[0].pk, 3).results) == 3
    assert len(asked) == 5
    assert breakers.states()["books"] == {"als.similar": "open"}


def test_a_trial_that_the_database_cut_short_found_nothing_out_and_the_next_request_tries_again(reader, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "BREAKER_ERRORS": 1, "BREAKER_OPEN_SECONDS": 0.01}
    books = colours.add_books()
    colours.publish(books, "als")
    breakers.failed("books", "als.similar")
    time.sleep(0.02)

    def refuse_lists(execute, sql, params, many, context):
        if "FROM " in sql and "IN (" in sql and Book._meta.db_table in sql:
            raise OperationalError("connection refused")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse_lists):
        assert similar_items(reader, "books", books[1].pk, 3).fallback_reason == "database_unavailable"
    assert breakers.states()["books"] == {"als.similar": "open"}
    assert similar_items(reader, "books", books[1].pk, 3).engine == "als"
    assert breakers.states()["books"] == {"als.similar": "closed"}


def test_with_no_time_left_the_newest_answer(reader, settings):
    books = colours.add_books()
    colours.publish(books, "als")
    settings.RECOMMENDER = {**settings.RECOMMENDER, "BUDGET_MS": 0}
    answer = similar_items(reader, "books", books[1].pk, 3)
    assert (answer.engine, answer.fallback_reason) == ("newest", "deadline")


def test_it_is_logged_as_what_it_is(reader):
    books = colours.add_books()
    colours.publish(books, "als")
    answer = similar_items(reader, "books", books[1].pk, 3)
    row = RequestLog.objects.get()
    assert (row.request_id, row.candidate_source, row.engine) == (answer.request_id, "similar", "als")
    assert [entry["item"] for entry in row.results] == [str(result.id) for result in answer.results]
    similar_items(reader, "books", books[1].pk, 3, log=False)
    assert RequestLog.objects.count() == 1


def test_it_costs_two_queries_and_the_log(reader):
    books = colours.add_books()
    colours.publish(books, "als")
    similar_items(reader, "books", books[1].pk, 3)
    queries = queries_of(lambda: similar_items(reader, "books", books[1].pk, 3))
    assert [query.split(" ", 1)[0] for query in queries] == ["SELECT", "SELECT", "INSERT"]


def test_without_the_database_the_answer_is_empty_and_says_so(reader):
    (book,) = library.add_books("tea-0")
    with connection.execute_wrapper(library.refuse):
        answer = similar_items(reader, "books", book.pk)
    assert (answer.results, answer.fallback_reason) == ((), "database_unavailable")


def test_callers_are_told_of_their_mistakes(reader):
    (book,) = library.add_books("tea-0")
    with pytest.raises(ValueError, match="between 1 and 100"):
        similar_items(reader, "books", book.pk, 0)
    with pytest.raises(UnknownUseCase):
        similar_items(reader, "no_such", book.pk)
    with pytest.raises(ItemNotFound):
        similar_items(reader, "books", uuid.uuid4())


def test_over_http(client):
    books = colours.add_books()
    colours.publish(books, "als")
    assert reverse("recommender:similar", args=["books", books[1].pk]) == address(books[1].pk)
    body = client.get(address(books[1].pk), {"limit": 2}).json()
    assert body["engine"] == "als"
    assert [result["item"]["label"].split()[0] for result in body["results"]] == ["red", "red"]
    assert body["next"] is None


@pytest.mark.parametrize("hidden", [True, False])
def test_an_item_that_may_not_be_seen_is_404(client, hidden):
    (book,) = library.add_books("tea-0")
    assert client.get(address(book.pk)).status_code == 200
    if hidden:
        Book.objects.update(is_published=False)
    else:
        book.delete()
    response = client.get(address(book.pk if hidden else uuid.uuid4()))
    assert response.status_code == 404
    assert response.json().keys() == {"detail"}


@pytest.mark.parametrize("item", ["x", "1", "%00", "9" * 31, "%ED%A0%80", "a" * 3000, "%F0%9F%8D%B5", "None", "-"])
def test_a_strange_id_is_404(client, item):
    assert client.get(address(item)).status_code == 404


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=101", "cursor=first", "unknown=1"])
def test_a_wrong_parameter_is_400_and_named(client, query):
    (book,) = library.add_books("tea-0")
    response = client.get(f"{address(book.pk)}?{query}")
    assert response.status_code == 400
    assert response.json()["errors"].keys() == {query.split("=")[0]}


def test_nobody_is_401_and_no_reader_404():
    (book,) = library.add_books("tea-0")
    assert Client().get(address(book.pk)).status_code == 401
    assert Client().get("/api/recommendations/no_such/similar/1/").status_code == 401


class Numbered:
    """A use case whose items have the keys that a model field makes."""

    def __init__(self, field):
        self.items = type("Items", (), {"_meta": type("Meta", (), {"pk": field})})


def test_keys_of_every_kind_are_read_plainly():
    from django.db import models

    whole, text = Numbered(models.BigAutoField()), Numbered(models.CharField(max_length=9))
    assert [item_key(whole, item) for item in ("7", "-7", 7)] == [7, -7, 7]
    for strange in ("1_0", " 1", "1.0", "١", "1" * 31, "", "x", None, "\0"):
        assert item_key(whole, strange) is None
    assert item_key(text, "naïve") == "naïve"
    assert item_key(text, "a\0") is item_key(text, "\ud800") is None
    known = uuid.uuid4()
    books = get_use_case("books")
    assert [item_key(books, item) for item in (known, str(known), known.hex)] == [known] * 3
