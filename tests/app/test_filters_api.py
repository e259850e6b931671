"""Filters over HTTP: on every rung of the fallback chain, and refused before anything else happens."""

import json

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from recommender_app.models import RequestLog
from recommender_app.testing import FixedEngine, override_engine
from tests.app import library
from tests.app.test_filters import OfTheRequest
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db
URL = "/api/recommendations/books/"


@pytest.fixture
def books():
    return library.add_shelves(3)


@pytest.fixture
def client():
    client = Client()
    client.force_login(library.add_reader().account)
    return client


def labels(response):
    assert response.status_code == 200
    return [result["item"]["label"] for result in response.json()["results"]]


def test_an_engines_answer_is_narrowed(client, books):
    with override_engine("books", FixedEngine([book.pk for book in books])):
        assert labels(client.get(URL, {"genre": "sea", "limit": 2})) == ["sea-0", "sea-1"]


def test_so_are_the_newest(client, books):
    assert labels(client.get(URL, {"genre": "tea"})) == ["tea-2", "tea-1", "tea-0"]
    assert labels(client.get(URL, {"genre": "fog"})) == []


def test_an_item_that_matches_several_times_is_shown_once(client, books):
    for _ in range(3):
        library.read(library.Reader.objects.get(), books[0], "view")
    library.read(library.Reader.objects.get(), books[1], "view")
    assert labels(client.get(URL, {"met_with": "view", "limit": 2})) == ["tea-1", "tea-0"]
    with override_engine("books", FixedEngine([book.pk for book in books])):
        assert labels(client.get(URL, {"met_with": "view", "limit": 2})) == ["tea-0", "tea-1"]


@pytest.mark.parametrize(
    "query",
    ["?colour=red", "?genre=te%00a", "?genre=%ED%A0%80", "?max_pages=1" + "0" * 30, "?genre=tea&genre=sea",
     "?genre=" + "x" * 5000, "?max_pages=a", "?is_short=2e9", "?%00=1", "?%ED%A0%80=1"],
)  # fmt: skip
def test_what_cannot_be_looked_for_is_refused_or_found_empty(client, books, query):
    response = client.get(URL + query)
    if query == "?genre=%ED%A0%80":  # Django reads bytes that are no UTF-8 as replacement characters
        assert labels(response) == []
        return
    assert response.status_code == 400
    assert response["Content-Type"] == "application/json"
    for reasons in json.loads(response.content)["errors"].values():
        assert reasons
        assert all(isinstance(reason, str) for reason in reasons)
    assert RequestLog.objects.count() == 0


def test_an_unknown_filter_is_told_what_there_is(client):
    assert "genre, max_pages" in client.get(URL, {"colour": "red"}).json()["errors"]["colour"][0]


def test_filters_of_the_request_see_the_request(client, books, monkeypatch):
    monkeypatch.setattr(BooksForReaders, "filterset_class", OfTheRequest)
    reader = library.Reader.objects.get()
    library.read(reader, books[4], "like")
    assert labels(client.get(URL, {"mine": reader.pk})) == ["sea-1"]
    assert client.get(URL, {"mine": library.add_reader("bob").pk}).status_code == 400


def test_a_database_that_fails_while_filters_are_checked_is_an_empty_answer(books, monkeypatch):
    monkeypatch.setattr(BooksForReaders, "filterset_class", OfTheRequest)
    client, reader = APIClient(), library.add_reader()
    client.force_authenticate(reader.account)
    with connection.execute_wrapper(library.refuse):
        response = client.get(URL, {"mine": reader.pk})
    assert (response.status_code, response.json()["fallback_reason"]) == (200, "database_unavailable")


def test_the_schema_needs_nobody_to_ask(client, monkeypatch):
    monkeypatch.setattr(BooksForReaders, "filterset_class", OfTheRequest)
    operation = client.get("/api/schema/?format=json").json()["paths"]["/api/recommendations/{use_case}/"]["get"]
    assert "mine" in {parameter["name"] for parameter in operation["parameters"]}


def test_the_schema_lists_the_filters_of_every_use_case(client):
    operation = client.get("/api/schema/?format=json").json()["paths"]["/api/recommendations/{use_case}/"]["get"]
    described = {parameter["name"]: parameter for parameter in operation["parameters"]}
    assert "(books)" in described["max_pages"]["description"]
    assert described["max_pages"]["schema"]["type"] == "number"
    assert described["is_short"]["schema"]["type"] == "boolean"
    assert {"added_after", "added_before", "industry", "skill", "year_from"} <= described.keys()
    assert not any(described[name].get("required") for name in ("genre", "max_pages", "industry"))
