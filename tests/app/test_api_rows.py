"""Rows 48, 50, 56 and 57 of the fault matrix over HTTP, and the one shape of every error."""

import json

import pytest
from django.test import Client, override_settings
from django.urls import include, path

from recommender_app.api.views import RecommendationView
from recommender_app.models import RequestLog
from tests.app import library
from tests.app.test_parsing import REFUSED
from tests.toyhost.models import Reading

pytestmark = pytest.mark.django_db
URL = "/api/recommendations/books/"
EVENTS = f"{URL}events/"


@pytest.fixture
def books():
    return library.add_shelves(3)


@pytest.fixture
def client(books):
    client = Client()
    client.force_login(library.add_reader().account)
    return client


def error_of(response, status):
    """Return the body of an error, which is of the one shape."""
    assert (response.status_code, response["Content-Type"]) == (status, "application/json")
    body = response.json()
    assert body.keys() <= {"detail", "errors"}
    assert isinstance(body["detail"], str)
    assert body["detail"]
    for reasons in body.get("errors", {}).values():
        assert reasons
        assert all(isinstance(reason, str) for reason in reasons)
    return body


@pytest.mark.parametrize("address", [URL, URL + "similar/{}/"])
@pytest.mark.parametrize(
    "query",
    [*(f"limit={value}" for value in ("0", "-1", "101", "1000000000", "1.5", "abc", "", "%00", "5%00", "[5]", "true")),
     "limit=1&limit=2"],
)  # fmt: skip
def test_row_48_a_limit_that_makes_no_sense_is_400(client, books, address, query):
    body = error_of(client.get(f"{address.format(books[0].pk)}?{query}"), 400)
    assert body["errors"].keys() == {"limit"}
    assert body["detail"] == f"limit: {body['errors']['limit'][0]}"
    assert RequestLog.objects.count() == 0


def test_row_48_a_missing_limit_is_ten(client):
    library.add_shelves(8)
    assert len(client.get(URL).json()["results"]) == 10


@pytest.mark.parametrize(
    "name", ["colour", "is_published", "title__startswith", "reading__reader__account__password__startswith",
             "pk__in", "user", "order_by", "LIMIT", "limit ", "exclude__in", "$where", "%00"],
)  # fmt: skip
def test_row_50_an_unknown_parameter_is_refused_by_name_and_never_reaches_the_database(
    client, books, name, django_assert_max_num_queries
):
    with django_assert_max_num_queries(2):  # the login
        body = error_of(client.get(URL, {name: "x"}), 400)
    assert len(body["errors"]) == 1
    assert "There is no such filter" in body["detail"]


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_row_56_a_body_that_cannot_be_accepted_is_400_and_nothing_is_written(client, body):
    error_of(client.generic("POST", EVENTS, body, content_type="application/json"), 400)
    assert Reading.objects.count() == 0


@pytest.mark.parametrize("n_bytes", [64 * 1024 + 1, 3_000_000, 12_000_000])
def test_row_56_a_body_that_is_too_long_is_413(client, n_bytes):
    error_of(client.generic("POST", EVENTS, b" " * n_bytes, content_type="application/json"), 413)


def test_row_56_a_body_that_breaks_off_is_400(books):
    class Torn:
        def read(self, *args):
            raise OSError("connection reset by peer")

        readline = read

    client = Client()
    client.force_login(library.add_reader().account)
    environment = {"wsgi.input": Torn(), "CONTENT_LENGTH": "9", "CONTENT_TYPE": "application/json"}
    error_of(client.generic("POST", EVENTS, **environment), 400)


def test_row_57_a_long_form_is_415_where_the_session_looks_for_its_token(books):
    client = Client(enforce_csrf_checks=True)
    client.force_login(library.add_reader().account)
    client.cookies["csrftoken"] = "a" * 32
    form = b"x=" + b"y" * 12_000_000
    error_of(client.generic("POST", EVENTS, form, content_type="application/x-www-form-urlencoded"), 415)


@pytest.mark.parametrize("body", [b"[]", b"7", b"null", b'"x"', b"true", b"{}", b"[7]", b"[[]]", b"[{}]"])
def test_row_56_json_of_another_kind_is_400(client, body):
    error_of(client.generic("POST", EVENTS, body, content_type="application/json"), 400)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
     "application/jsonp", "application", "rubbish;;;", "application/octet-stream", "é"],
)  # fmt: skip
def test_row_57_another_content_type_is_415(client, content_type):
    error_of(client.generic("POST", EVENTS, b'{"item": 1}', content_type=content_type), 415)


@pytest.mark.parametrize(
    ("address", "allowed"), [(URL, "GET"), (f"{URL}similar/1/", "GET"), (EVENTS, "POST"), ("/api/health/", "GET")]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_row_57_another_method_is_405_and_says_which_are_allowed(client, address, allowed, method):
    if method == allowed:
        return
    response = client.generic(method, address, b"{}", content_type="application/json")
    if address == "/api/health/":  # readers of books may not look there, whatever the method
        error_of(response, 403)
    else:
        error_of(response, 405)
        assert allowed in response["Allow"].split(", ")


# --- What Django itself answers -------------------------------------------------------------------


def test_below_the_api_an_address_without_an_endpoint_is_a_404_in_json(client):
    error_of(client.get("/api/nothing/"), 404)
    elsewhere = client.get("/nothing/")
    assert (elsewhere.status_code, elsewhere["Content-Type"].split(";")[0]) == (404, "text/html")


def test_an_error_that_nobody_foresaw_is_a_500_in_json(client, monkeypatch):
    def fail(self, request, use_case):
        raise RuntimeError("a secret")

    monkeypatch.setattr(RecommendationView, "get", fail)
    client.raise_request_exception = False
    response = client.get(URL)
    error_of(response, 500)
    assert b"secret" not in response.content


def test_a_host_name_that_is_not_the_sites_is_a_400_in_json(client):
    error_of(client.get("/api/health/", headers={"host": "elsewhere.example"}), 400)


class Elsewhere:
    """A root URLconf that includes our URLs under another namespace and names our handlers."""

    urlpatterns = [path("shop/", include("recommender_app.urls", namespace="shop"))]
    handler404 = "recommender_app.api.handlers.not_found"


@override_settings(ROOT_URLCONF=Elsewhere)
def test_under_another_namespace_djangos_own_page_stays(client):
    assert client.get("/shop/nothing/").status_code == 404


def test_numbers_that_are_not_finite_never_leave_in_an_error(client):
    response = client.generic("POST", EVENTS, b'[{"item": 1e308, "event": 1e308}]', content_type="application/json")
    json.loads(response.content, parse_constant=lambda name: pytest.fail(f"{name} in the answer"))
    error_of(response, 400)
