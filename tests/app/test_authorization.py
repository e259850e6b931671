"""Whose lists a login may read, and that every endpoint says who may come and how often; rows 45 to 47."""

import json
import logging

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client, override_settings
from django.urls import path
from rest_framework.authtoken.models import Token
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response

from recommender_app.api.documentation import DocumentationView, SchemaView
from recommender_app.api.throttling import RecommendationThrottle, RecommenderThrottle
from recommender_app.api.views import RecommenderView
from recommender_app.models import AnonymousEvent, FeedbackEvent, RequestLog
from recommender_app.urls import urlpatterns as our_patterns
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.toyhost.models import Reader

URL = "/api/recommendations/books/"
SELF_DESCRIBING = {SchemaView, DocumentationView}


@pytest.fixture(autouse=True)
def _artifacts(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path}


@pytest.fixture
def books(db):
    return library.add_shelves(3)


@pytest.fixture
def ann(books):
    return library.add_reader("ann")


@pytest.fixture
def bob(books):
    return library.add_reader("bob")


def logged_in(account):
    client = Client()
    client.force_login(account)
    return client


def urls(book):
    return [URL, f"{URL}similar/{book.pk}/"]


# --- Rows 45 to 47 --------------------------------------------------------------------------------


def test_row_45_without_a_model_a_new_user_gets_the_newest(ann):
    answer = logged_in(ann.account).get(URL)
    assert (answer.status_code, answer.json()["engine"]) == (200, "newest")


def test_row_45_a_user_whom_no_model_knows_gets_what_is_popular(books):
    library.publish("popular_v1", library.popular_engine(books), books)
    library.publish("als_v1", library.als_engine(books), books)
    library.put_live(1, "popular_v1", "als_v1")
    answer = logged_in(library.add_reader("new").account).get(URL)
    assert (answer.status_code, answer.json()["engine"]) == (200, "popular")


@pytest.mark.parametrize("wanted", ["bob", "nobody", "abc", "", "-1", "9" * 40, "1e400", "\0", "é"])
def test_row_46_another_user_is_not_found_like_nobody_and_the_security_log_says_so(ann, bob, books, caplog, wanted):
    wanted = {"bob": str(bob.pk), "nobody": "999999"}.get(wanted, wanted)
    for url in urls(books[0]):
        caplog.clear()
        response = logged_in(ann.account).get(url, {"for": wanted})
        assert response.status_code == 404
        assert response.json() == {"detail": "This login has no such user in books."}
        (line,) = [record for record in caplog.records if record.name == "recommender_app.security"]
        assert line.levelno == logging.WARNING
        assert f"Account {ann.account.pk} was refused the user {wanted[:64]!a} of books" in line.getMessage()
    assert RequestLog.objects.count() == 0


def test_row_46_holds_in_a_host_that_reads_no_for(ann, bob, monkeypatch):
    def get_user(self, request):
        return Reader.objects.get(account=request.user)

    monkeypatch.setattr(type(get_use_case("books")), "get_user", get_user)
    client = logged_in(ann.account)
    assert client.get(URL, {"for": bob.pk}).status_code == 404
    assert client.get(URL, {"for": ann.pk}).status_code == 200


def test_a_login_without_any_user_is_no_security_event(books, caplog):
    assert logged_in(User.objects.create_user("nobody")).get(URL).status_code == 404
    assert "recommender_app.security" not in [record.name for record in caplog.records]


def test_row_47_whoever_is_not_logged_in_gets_401_in_json_from_every_endpoint(books):
    for url in (
        *urls(books[0]),
        "/api/recommendations/no_such/",
        "/api/health/",
        "/api/recommender/metrics/",
        "/api/recommender/experiments/e/",
    ):
        response = Client().get(url, {"for": "1"})
        assert (response.status_code, response["Content-Type"]) == (401, "application/json")
        assert response.json().keys() == {"detail"}
        assert response["WWW-Authenticate"]


# --- Staff ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("is_staff", "has_permission", "status"), [(True, False, 404), (False, True, 404), (True, True, 200)]
)
def test_others_lists_are_for_staff_with_the_permission(ann, books, is_staff, has_permission, status):
    account = User.objects.create_user("carla", is_staff=is_staff)
    if has_permission:
        account.user_permissions.add(Permission.objects.get(codename="view_requestlog"))
    for url in urls(books[0]):
        assert logged_in(account).get(url, {"for": ann.pk}).status_code == status


def test_a_list_that_staff_read_is_no_exposure_but_leaves_a_line(ann, caplog):
    caplog.set_level(logging.INFO, "recommender_app.security")
    admin = User.objects.create_superuser("admin")
    own = Reader.objects.create(name="admin", account=admin)
    client = logged_in(admin)
    assert client.get(URL, {"for": ann.pk}).status_code == 200
    assert f"Account {admin.pk} reads a list of the user {ann.pk} of books." in caplog.text
    assert RequestLog.objects.count() == 0
    assert client.get(URL, {"for": own.pk}).status_code == 200
    assert RequestLog.objects.get().user_id == str(own.pk)
    assert client.get(URL, {"for": 999_999}).status_code == 404


def test_pages_of_somebody_elses_list_go_on(ann):
    client = logged_in(User.objects.create_superuser("admin"))
    first = client.get(URL, {"for": ann.pk, "limit": 2, "cursor": "first"}).json()
    second = client.get(first["next"]).json()
    assert [result["rank"] for result in second["results"]] == [3, 4]
    without_for = first["next"].replace(f"for={ann.pk}&", "")
    assert client.get(without_for).status_code == 404


# --- Sessions and tokens --------------------------------------------------------------------------


class Posting(RecommenderView):
    """An endpoint that reads a body, as ours do."""

    permission_classes = [IsAuthenticated]
    throttle_classes = [RecommendationThrottle]

    def post(self, request):
        """Return what was read."""
        return Response({"read": request.data})


urlpatterns = [path("post/", Posting.as_view())]


@override_settings(ROOT_URLCONF=__name__)
def test_a_session_posts_with_its_csrf_token_only(ann):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann.account)
    refused = client.post("/post/", {"a": 1}, content_type="application/json")
    assert (refused.status_code, refused["Content-Type"]) == (403, "application/json")
    assert refused.json().keys() == {"detail"}
    client.cookies["csrftoken"] = "a" * 32
    told = {"x-csrftoken": "a" * 32}
    assert client.post("/post/", {"a": 1}, content_type="application/json", headers=told).json() == {"read": {"a": 1}}


@override_settings(ROOT_URLCONF=__name__)
def test_a_token_posts_without_one(ann):
    client = Client(
        enforce_csrf_checks=True, headers={"authorization": f"Token {Token.objects.create(user=ann.account)}"}
    )
    assert client.post("/post/", {"a": 1}, content_type="application/json").json() == {"read": {"a": 1}}


@pytest.mark.parametrize("headers", [{}, {"authorization": "Token no-such-token"}, {"x-recommender-session": "new"}])
def test_row_47_whoever_is_not_logged_in_posts_nothing(books, headers):
    event = {"event_id": "a", "item": str(books[0].pk), "event": "click"}
    client = Client(enforce_csrf_checks=True, headers=headers)
    answer = client.post(f"{URL}events/", event, content_type="application/json")
    assert (answer.status_code, answer.json().keys()) == (401, {"detail"})
    assert not FeedbackEvent.objects.exists()
    assert not AnonymousEvent.objects.exists()


def test_another_site_cannot_post_for_a_login_by_its_cookie_not_even_where_strangers_may(ann, books, monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "allow_anonymous", True)
    event = {"event_id": "a", "item": str(books[0].pk), "event": "click"}
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann.account)
    assert client.post(f"{URL}events/", event, content_type="application/json").status_code == 403
    for simple in ("text/plain", "multipart/form-data; boundary=x"):  # what a page may send without asking first
        assert Client().generic("POST", f"{URL}events/", json.dumps(event), content_type=simple).status_code == 415
    assert not FeedbackEvent.objects.exists()
    assert not AnonymousEvent.objects.exists()


@pytest.mark.parametrize("how", ["session", "token"])
def test_sessions_and_tokens_read_lists(ann, how):
    token = Token.objects.create(user=ann.account)
    client = logged_in(ann.account) if how == "session" else Client(headers={"authorization": f"Token {token.key}"})
    assert client.get(URL).status_code == 200


# --- Every endpoint -------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", our_patterns, ids=lambda pattern: pattern.name)
def test_every_view_names_its_own_permission_and_throttle(pattern):
    view = pattern.callback.cls
    assert {"permission_classes", "throttle_classes"} <= vars(view).keys()
    assert all(issubclass(throttle, RecommenderThrottle) for throttle in view.throttle_classes)
    assert view.throttle_classes
    assert view.permission_classes


def test_every_view_is_described_and_names_its_operations(db):
    paths = Client().get("/api/schema/?format=json").json()["paths"]
    described = {path.removeprefix("/api/") for path in paths}
    ours = {
        str(pattern.pattern).replace("<str:", "{").replace("<", "{").replace(">", "}")
        for pattern in our_patterns
        if pattern.callback.cls not in SELF_DESCRIBING
    }
    assert described == ours
    operations = [operation for methods in paths.values() for operation in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    for operation in operations:
        assert operation["summary"]
        assert {"401", "429"} <= operation["responses"].keys()
