"""GET recommendations: what comes back, and what is refused how."""

import json

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.urls import path
from rest_framework.authentication import SessionAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.settings import api_settings
from rest_framework.test import APIClient

from recommender_app.api.throttling import RecommenderThrottle
from recommender_app.api.views import RecommendationView
from recommender_app.models import RequestLog
from recommender_app.serving import request_log
from recommender_app.testing import FixedEngine, override_engine
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.toyhost.models import Book, Reader

pytestmark = pytest.mark.django_db
URL = "/api/recommendations/books/"


def test_the_answer_is_complete(reader_client, reader, books):
    library.read(reader, books[0], "view")
    with override_engine("books", FixedEngine([books[4].pk, books[2].pk])):
        response = reader_client.get(URL, {"limit": 2})
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert body.pop("request_id") == str(RequestLog.objects.get().request_id)
    assert body == {
        "use_case": "books",
        "engine": "fixed",
        "model_version": "fixed_v0",
        "fallback_reason": None,
        "interaction_count": 1,
        "results": [
            {
                "rank": 1,
                "id": str(books[4].pk),
                "score": 2.0,
                "source": "fixed",
                "item": {"id": str(books[4].pk), "label": "sea-1"},
                "reason": None,
            },
            {
                "rank": 2,
                "id": str(books[2].pk),
                "score": 1.0,
                "source": "fixed",
                "item": {"id": str(books[2].pk), "label": "tea-2"},
                "reason": None,
            },
        ],
        "next": None,
    }


def test_ten_items_are_the_default_and_the_host_may_change_it(reader_client, settings):
    library.add_shelves(60)
    assert len(reader_client.get(URL).json()["results"]) == 10
    assert len(reader_client.get(URL, {"limit": 100}).json()["results"]) == 100
    settings.RECOMMENDER = {**settings.RECOMMENDER, "LIMIT_DEFAULT": 3, "LIMIT_MAX": 5}
    assert len(reader_client.get(URL).json()["results"]) == 3
    assert reader_client.get(URL, {"limit": 6}).status_code == 400


@pytest.mark.parametrize(
    "limit",
    ["0", "-1", "101", "abc", "", " ", "1.5", "1.0", "1e1", "+5", "1_0", "5\0", "٥", "9" * 30, "9" * 5000, "NaN"],
)
def test_a_limit_that_makes_no_sense_is_refused_by_name(reader_client, books, limit):
    response = reader_client.get(URL, {"limit": limit})
    assert response.status_code == 400
    assert response.json().keys() == {"detail", "errors"}
    assert response.json()["errors"].keys() == {"limit"}
    assert all(isinstance(reason, str) for reason in response.json()["errors"]["limit"])
    assert RequestLog.objects.count() == 0


@pytest.mark.parametrize("name", ["limit", "cursor"])
def test_a_parameter_given_twice_is_refused_and_the_answer_says_so(reader_client, name):
    response = reader_client.get(URL + f"?{name}=3&{name}=4")
    assert response.status_code == 400
    assert response.json()["errors"] == {name: ["It is given twice; give it once."]}


@pytest.mark.parametrize("query", ["?format=html", "?format=xml", "?limit=2&format=%00"])
def test_a_wanted_format_changes_nothing(reader_client, books, query):
    response = reader_client.get(URL + query)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "rubbish"])
def test_everything_is_json_whatever_is_accepted(reader_client, books, accept):
    response = reader_client.get(URL, headers={"accept": accept})
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("key", ["no_such", "%00", "a b", "'; drop table", "%F0%9F%93%9A", "x" * 500])
def test_an_unknown_use_case_is_not_found(reader_client, key):
    response = reader_client.get(f"/api/recommendations/{key}/")
    assert response.status_code == 404
    assert "There is no use case" in response.json()["detail"]


@pytest.mark.parametrize("key", ["books", "no_such"])
def test_whoever_is_not_logged_in_is_told_so(key, books):
    response = Client().get(f"/api/recommendations/{key}/")
    assert response.status_code == 401
    assert response.json().keys() == {"detail"}
    assert response["WWW-Authenticate"]


def test_a_wrong_token_is_401():
    assert Client().get(URL, headers={"authorization": "Token wrong"}).status_code == 401


def test_a_token_is_enough(reader, books):
    token = Token.objects.create(user=reader.account)
    assert Client().get(URL, headers={"authorization": f"Token {token.key}"}).status_code == 200


class SessionOnly(RecommendationView):
    """A host that knows sessions only."""

    authentication_classes = [SessionAuthentication]


class NoAuthentication(RecommendationView):
    """A host without any."""

    authentication_classes = []


urlpatterns = [
    path("session/<str:use_case>/", SessionOnly.as_view()),
    path("none/<str:use_case>/", NoAuthentication.as_view()),
]


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize("kind", ["session", "none"])
def test_401_does_not_depend_on_how_the_host_logs_in(kind):
    assert Client().get(f"/{kind}/books/").status_code == 401


@pytest.mark.parametrize("wanted", ["999999", "abc", "-1", "", "9" * 40, "1;2"])
def test_a_reader_of_somebody_else_is_not_found(reader_client, books, wanted):
    stranger = Reader.objects.create(name="stranger")
    response = reader_client.get(URL, {"for": wanted or str(stranger.pk)})
    assert response.status_code == 404
    assert response.json().keys() == {"detail"}


def test_a_login_with_several_readers_may_choose(reader_client, reader, books):
    second = Reader.objects.create(name="second", account=reader.account)
    reader_client.get(URL, {"for": second.pk})
    assert RequestLog.objects.get().user_id == str(second.pk)


def test_a_login_without_a_reader_is_not_found(books):
    client = Client()
    client.force_login(library.get_user_model().objects.create_user("nobody"))
    assert client.get(URL).status_code == 404


@pytest.mark.parametrize("found", ["a DoesNotExist", "None"])
def test_a_host_that_finds_nobody_need_not_say_so_in_our_words(reader_client, books, monkeypatch, found):
    def get_user(self, request):
        return Reader.objects.get(pk=-1) if found == "a DoesNotExist" else None

    monkeypatch.setattr(type(get_use_case("books")), "get_user", get_user)
    response = reader_client.get(URL)
    assert response.status_code == 404
    assert response.json() == {"detail": "This login has no user in books."}
    assert RequestLog.objects.count() == 0


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_only_get_is_allowed(reader_client, method):
    response = getattr(reader_client, method)(URL)
    assert response.status_code in (403, 405)
    assert response.json().keys() == {"detail"}


def test_no_model_and_no_item_are_answered_with_200(reader_client):
    body = reader_client.get(URL).json()
    assert (body["engine"], body["model_version"], body["results"]) == ("none", None, [])
    assert body["fallback_reason"] == "empty_catalogue"


def test_a_hidden_item_is_gone_with_the_next_request(reader_client, books):
    with override_engine("books", FixedEngine([book.pk for book in books])):
        assert reader_client.get(URL).json()["results"][0]["item"]["label"] == "tea-0"
        Book.objects.filter(pk=books[0].pk).update(is_published=False)
        assert "tea-0" not in reader_client.get(URL).content.decode()


def test_items_are_written_by_the_hosts_serializer(reader_client, books, monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "item_serializer", "tests.app.book_serializer.BookSerializer")
    item = reader_client.get(URL, {"limit": 1}).json()["results"][0]["item"]
    assert item == {"title": "sea-2", "genre": "sea", "depth": None, "asked_at": URL}


def test_nan_never_reaches_the_json(reader_client, books, monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "item_serializer", "tests.app.book_serializer.BookSerializer")
    text = reader_client.get(URL, {"limit": 1}).content.decode()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in the answer"))
    assert '"depth":null' in text


def test_a_rate_of_our_own_is_applied_and_says_when_to_come_back(reader_client, books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": {"recommendations": "2/min"}}
    assert [reader_client.get(URL).status_code for _ in range(3)] == [200, 200, 429]
    response = reader_client.get(URL)
    assert response.json().keys() == {"detail"}
    assert int(response["Retry-After"]) > 0


def test_without_a_rate_nobody_is_throttled(reader_client, books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": {}}
    assert {reader_client.get(URL).status_code for _ in range(5)} == {200}


def test_a_cache_that_is_down_lets_everybody_pass(reader_client, books, settings, monkeypatch, caplog):
    monkeypatch.setattr(RecommenderThrottle, "_paused_until", 0.0)
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    assert reader_client.get(URL).status_code == 200
    assert "cache cannot be reached" in caplog.text
    caplog.clear()
    assert reader_client.get(URL).status_code == 200
    assert caplog.text == ""  # it is not asked again at once


@pytest.mark.services
def test_rates_are_counted_in_redis_where_it_is_the_cache(reader_client, books, settings, redis_url):
    backend = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": redis_url}
    settings.CACHES = {"default": backend}
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": {"recommendations": "2/min"}}
    assert [reader_client.get(URL).status_code for _ in range(3)] == [200, 200, 429]
    settings.CACHES = {"default": {**backend, "KEY_PREFIX": "other"}}  # connects anew, other keys
    assert reader_client.get(URL).status_code == 200
    settings.CACHES = {"default": dict(backend)}
    assert reader_client.get(URL).status_code == 429


def test_the_host_finds_no_throttle_in_its_own_settings():
    assert api_settings.DEFAULT_THROTTLE_CLASSES == []


def test_a_database_that_fails_after_the_login_is_an_empty_answer(reader, books, caplog):
    client, n_spooled = APIClient(), request_log.n_spooled()
    client.force_authenticate(reader.account)
    with connection.execute_wrapper(library.refuse):
        response = client.get(URL)
    assert response.status_code == 200
    body = response.json()
    assert (body["engine"], body["fallback_reason"], body["results"]) == ("none", "database_unavailable", [])
    assert request_log.n_spooled() == n_spooled + 1
    assert body["request_id"] in caplog.text


def test_a_database_that_fails_at_the_login_is_503(reader_client):
    with connection.execute_wrapper(library.refuse):
        response = reader_client.get(URL)
    assert response.status_code == 503
    assert response.json().keys() == {"detail"}


def test_a_head_is_answered_and_is_no_exposure(reader_client, books):
    for url in (URL, f"{URL}similar/{books[0].pk}/"):
        answer = reader_client.head(url)
        assert (answer.status_code, answer.content) == (200, b"")
    assert not RequestLog.objects.exists()
