"""``exclude``: items that a request does not want, on every path; row 49 of the fault matrix."""

import itertools
import json
import runpy
import uuid
from urllib.parse import urlencode

import pytest
from django.test import Client

from recommender_app.models import BusinessRule, RequestLog
from recommender_app.serving.service import recommend
from recommender_app.testing import FixedEngine, override_engine
from recommender_app.usecases.filters import Filters, parse_filters
from recommender_app.usecases.site import get_use_case
from tests.app import library

pytestmark = pytest.mark.django_db
URL = "/api/recommendations/books/"


@pytest.fixture(autouse=True)
def _artifacts(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path}


@pytest.fixture
def books():
    return library.add_shelves(3)  # tea-0 tea-1 tea-2 sea-0 sea-1 sea-2, the newest last


@pytest.fixture
def reader(books):
    return library.add_reader()


@pytest.fixture
def client(reader):
    client = Client()
    client.force_login(reader.account)
    return client


def labels(response):
    assert response.status_code == 200, response.content
    return [result["item"]["label"] for result in response.json()["results"]]


def listed(*books):
    return ",".join(str(book.pk) for book in books)


def test_engines_and_the_newest_leave_out_what_is_not_wanted(client, books):
    assert labels(client.get(URL, {"exclude": listed(books[5], books[0])})) == ["sea-1", "sea-0", "tea-2", "tea-1"]
    with override_engine("books", FixedEngine([book.pk for book in books])):
        assert labels(client.get(URL, {"limit": 2})) == ["tea-0", "tea-1"]
        assert labels(client.get(URL, {"limit": 2, "exclude": listed(books[1])})) == ["tea-0", "tea-2"]
        assert labels(client.get(URL, {"genre": "tea", "exclude": listed(books[1])})) == ["tea-0", "tea-2"]


def test_an_engine_is_not_even_asked_about_them(reader, books):
    library.publish("als_v1", library.als_engine(books), books)
    library.put_live(1, "als_v1")
    library.read(reader, books[0], "like")
    filters = Filters().without(get_use_case("books"), [books[1].pk])
    answer = recommend(reader, "books", 2, filters=filters)
    assert library.titles(answer.results) == ["tea-0", "tea-2"]
    assert {result.source for result in answer.results} == {"als"}


def test_a_pin_does_not_bring_them_back(client, books):
    pin = {"kind": "pin", "item_ids": [str(books[1].pk)], "position": 1}
    BusinessRule.objects.create(use_case="books", name="ours", is_active=True, **pin)
    assert labels(client.get(URL))[0] == "tea-1"
    assert "tea-1" not in labels(client.get(URL, {"exclude": listed(books[1])}))


def test_every_page_leaves_them_out_and_a_cursor_belongs_to_them(client, books):
    first = client.get(URL, {"limit": 2, "cursor": "first", "exclude": listed(books[4], books[2])})
    assert labels(first) == ["sea-2", "sea-0"]
    following = first.json()["next"]
    assert labels(client.get(following)) == ["tea-1", "tea-0"]
    cursor = following.split("cursor=")[1].split("&")[0]
    for other in ({}, {"exclude": listed(books[4])}):
        assert client.get(URL, {"limit": 2, "cursor": cursor, **other}).status_code == 400


def test_proposals_from_the_cache_are_those_of_the_same_exclusion(client, books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "SLATE_CACHE_SECONDS": 60}
    library.publish("popular_v1", library.popular_engine(books), books)
    library.put_live(1, "popular_v1")
    for _ in range(2):
        assert labels(client.get(URL, {"limit": 2})) == ["tea-0", "tea-1"]
        assert labels(client.get(URL, {"limit": 2, "exclude": listed(books[0])})) == ["tea-1", "tea-2"]
        assert labels(client.get(URL, {"limit": 2, "exclude": listed(books[1])})) == ["tea-0", "tea-2"]


def test_similar_items_leave_them_out_too(client, books):
    url = f"{URL}similar/{books[0].pk}/"
    assert labels(client.get(url, {"limit": 2})) == ["sea-2", "sea-1"]
    assert labels(client.get(url, {"limit": 2, "exclude": listed(books[5])})) == ["sea-1", "sea-0"]


@pytest.mark.parametrize(
    "noise",
    ["7", "abc", "", " ", ",,,", "-1", "1e400", "9" * 5000, "\0", "\u2028", "é", "NaN", "[1]", str(uuid.UUID(int=7))],
)  # fmt: skip
def test_row_49_ids_of_another_type_and_unknown_ones_are_ignored(client, books, noise):
    exclude = f"{noise}, {listed(books[5])} ,{noise}"
    assert labels(client.get(URL, {"exclude": exclude, "limit": 2})) == ["sea-1", "sea-0"]


@pytest.mark.parametrize("n", [201, 10_000])
def test_row_49_more_than_200_ids_are_refused_by_name(client, books, n):
    response = client.get(URL, {"exclude": ",".join(map(str, range(n)))})
    assert response.status_code == 400
    assert response.json()["errors"] == {"exclude": ["At most 200 ids are read."]}
    assert RequestLog.objects.count() == 0


def test_row_49_200_ids_are_read_and_a_second_parameter_is_refused(client, books):
    ids = [*(str(uuid.uuid4()) for _ in range(199)), str(books[5].pk)]
    assert labels(client.get(URL, {"exclude": ",".join(ids), "limit": 1})) == ["sea-1"]
    assert client.get(URL + "?exclude=1&exclude=2").json()["errors"].keys() == {"exclude"}


def test_row_49_200_uuids_fit_into_a_request_line_of_the_server_that_we_configure():
    ids = ",".join(str(uuid.uuid4()) for _ in range(200))
    line = f"GET /api/recommendations/startup_developer/?{urlencode({'exclude': ids, 'limit': 100})} HTTP/1.1"
    assert len(line) < runpy.run_path("gunicorn.conf.py")["limit_request_line"]


def test_the_key_of_filters_tells_every_exclusion_apart_and_no_order(books):
    use_case = get_use_case("books")
    tea = parse_filters(use_case, {"genre": ["tea"]})
    asked = [Filters(), tea, *(base.without(use_case, [book.pk for book in pair])
             for base in (Filters(), tea) for pair in itertools.combinations(books, 2))]  # fmt: skip
    assert len({filters.key for filters in asked}) == len(asked)
    one, other = books[:2]
    text = json.loads(json.dumps([str(other.pk), str(one.pk), str(one.pk)]))
    assert Filters().without(use_case, text) == Filters().without(use_case, [one.pk, other.pk])
