"""Lists for somebody who has not logged in: what the use case lets anybody see, made from the session."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from rest_framework.authtoken.models import Token

from recommender_app.api.visitors import HEADER
from recommender_app.measurement.anonymous import COOKIE, session_of
from recommender_app.measurement.roll_up import roll_up_day
from recommender_app.models import AnonymousEvent, FeedbackEvent, RequestLog, RollUp
from recommender_app.privacy import forget_user
from recommender_app.serving.service import recommend
from recommender_app.usecases.site import get_use_case
from recommender_app.usecases.visitors import Visitor
from tests.app import library
from tests.app.logins import log_in
from tests.toyhost.models import Book

pytestmark = pytest.mark.django_db
URL = "/api/recommendations/books/"


@pytest.fixture(autouse=True)
def _visitors_are_welcome(monkeypatch, settings, tmp_path):
    declared = type(get_use_case("books"))
    monkeypatch.setattr(declared, "allow_anonymous", True)
    monkeypatch.setattr(declared, "allow_anonymous_lists", True)
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path, "RELOAD_SECONDS": 0}


def titles(answer):
    assert answer.status_code == 200, answer.content
    return [result["item"]["label"] for result in answer.json()["results"]]


def visitor(client):
    return Visitor(session_of(client.cookies[COOKIE].value))


def posted(client, book, name="click", **fields):
    event = {"event_id": str(uuid.uuid4()), "item": str(book.pk), "event": name, **fields}
    return client.post(f"{URL}events/", event, content_type="application/json")


def test_where_it_is_not_allowed_a_login_is_needed(books, monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "allow_anonymous_lists", False)
    for url in (URL, URL.replace("books", "movies"), URL.replace("books", "nothing")):
        answer = Client().get(url)
        assert (answer.status_code, answer.json().keys()) == (401, {"detail"})
    assert not RequestLog.objects.exists()


def similar(client, book, **headers):
    return client.get(f"{URL}similar/{book.pk}/", {"limit": 2}, headers=headers)


def test_similar_items_need_a_login_where_lists_do(books, monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "allow_anonymous_lists", False)
    assert similar(Client(), books[0]).status_code == 401
    assert not RequestLog.objects.exists()


def test_a_visitor_gets_similar_items_of_what_anybody_may_see_under_the_session(books, client, monkeypatch):
    def get_items(self, user):
        assert user is None
        return Book.objects.filter(is_published=True)

    monkeypatch.setattr(type(get_use_case("books")), "get_items", get_items)
    Book.objects.filter(pk=books[5].pk).update(is_published=False)
    assert titles(similar(client, books[3])) == ["sea-1", "tea-2"]
    assert titles(similar(client, books[4])) == ["sea-0", "tea-2"]
    assert set(RequestLog.objects.values_list("user_id", "candidate_source")) == {(visitor(client).pk, "similar")}
    assert similar(client, books[5]).status_code == 404


def test_what_a_visitor_clicks_among_similar_items_may_name_their_answer(books, client):
    shown = similar(client, books[0]).json()
    (item,) = [book for book in books if str(book.pk) == str(shown["results"][0]["item"]["id"])]
    assert posted(client, item, request_id=shown["request_id"]).status_code == 201
    assert posted(Client(), item, request_id=shown["request_id"]).status_code == 400


def test_a_program_is_given_its_session_with_similar_items(books):
    first = similar(Client(), books[0], **{HEADER: "new"})
    again = similar(Client(), books[0], **{HEADER: first[HEADER]})
    assert first[HEADER] == again[HEADER]
    assert RequestLog.objects.values("user_id").distinct().count() == 1


def test_similar_items_for_somebody_need_a_login(books):
    assert Client().get(f"{URL}similar/{books[0].pk}/", {"for": "1"}).status_code == 401


def test_without_a_model_a_visitor_gets_the_newest_of_what_anybody_may_see(books, monkeypatch):
    def get_items(self, user):
        assert user is None
        return Book.objects.filter(genre="tea")

    monkeypatch.setattr(type(get_use_case("books")), "get_items", get_items)
    assert titles(Client().get(URL, {"limit": 2})) == ["tea-2", "tea-1"]


def test_with_models_a_visitor_gets_what_is_popular(books):
    library.publish("popular_v1", library.popular_engine(books), books)
    library.publish("als_v1", library.als_engine(books), books)
    library.put_live(1, "popular_v1", "als_v1")
    answer = Client().get(URL, {"limit": 2})
    assert (answer.json()["engine"], titles(answer)) == ("popular", ["tea-0", "tea-1"])


def test_what_the_session_has_done_is_folded_in_where_the_use_case_learns_from_it(books, monkeypatch, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "COLD_START_THRESHOLD": 1}
    monkeypatch.setattr(type(get_use_case("books")), "weights", {**get_use_case("books").weights, "click": 1.0})
    library.publish("popular_v1", library.popular_engine(books), books)
    library.publish("als_v1", library.als_engine(books), books)
    library.put_live(1, "popular_v1", "als_v1")
    client = Client()
    posted(client, books[3])
    answer = client.get(URL, {"limit": 2})
    assert (answer.json()["engine"], answer.json()["interaction_count"]) == ("als", 1)
    assert {title.split("-")[0] for title in titles(answer)} == {"sea"}
    assert Client().get(URL, {"limit": 2}).json()["interaction_count"] == 0  # another session is somebody else


def test_the_answer_is_logged_under_the_session_and_never_under_a_user(books):
    client = Client()
    answer = client.get(URL, {"limit": 2})
    row = RequestLog.objects.get()
    assert str(row.request_id) == answer.json()["request_id"]
    assert row.user_id == visitor(client).pk
    assert row.user_id.startswith("anonymous:")
    client.get(URL)
    assert RequestLog.objects.filter(user_id=row.user_id).count() == 2


def test_pages_go_on_for_the_session_that_began_them_and_for_no_other(books):
    client = Client()
    first = client.get(URL, {"limit": 4, "cursor": "first"}).json()
    assert len(titles(client.get(first["next"]))) == 2
    assert Client().get(first["next"]).status_code == 400


def test_filters_and_exclude_hold_for_visitors_too(books):
    assert titles(Client().get(URL, {"genre": "tea", "exclude": str(books[2].pk)})) == ["tea-1", "tea-0"]


@pytest.mark.parametrize("wanted", ["own", "7", "", "x"])
def test_row_46_and_47_a_visitor_who_names_a_user_needs_a_login(books, wanted):
    client = Client()
    client.get(URL)
    wanted = visitor(client).pk if wanted == "own" else wanted
    assert client.get(URL, {"for": wanted}).status_code == 401
    assert RequestLog.objects.count() == 1


def test_a_token_that_is_wrong_is_refused_and_no_visitor(books):
    assert Client(headers={"Authorization": "Token wrong"}).get(URL).status_code == 401


def test_a_host_that_has_no_user_for_strangers_lets_them_in_too(books):
    with override_settings(REST_FRAMEWORK={**django_settings.REST_FRAMEWORK, "UNAUTHENTICATED_USER": None}):
        client = Client()
        assert titles(client.get(URL, {"limit": 1})) == ["sea-2"]
        assert posted(client, books[5]).status_code == 201
        assert client.get(URL, {"for": "7"}).status_code == 401


def test_visitors_have_a_rate_of_their_own_per_address(books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": {"anonymous_recommendations": "2/hour"}}
    statuses = [Client().get(URL).status_code for _ in range(3)]  # a new session is no new rate
    assert statuses == [200, 200, 429]
    client = Client()
    log_in(client)
    assert client.get(URL).status_code == 200


def test_what_a_visitor_was_shown_can_be_reported_by_request_id_and_what_others_were_shown_cannot(books):
    client, other = Client(), Client()
    own, foreign = (each.get(URL, {"limit": 1}).json() for each in (client, other))
    shown = next(book for book in books if str(book.pk) == own["results"][0]["id"])
    assert posted(client, shown, "impression", request_id=own["request_id"], position=1).status_code == 201
    refused = posted(client, shown, request_id=foreign["request_id"])
    assert refused.json()["errors"] == {"request_id": ["No answer of books to you has this id."]}
    assert posted(client, shown, request_id=own["request_id"], position=2).status_code == 400


def test_at_login_the_lists_become_the_users_with_what_came_of_them(books):
    client = Client()
    client.get(URL)
    posted(client, books[5])
    reader = log_in(client)
    assert RequestLog.objects.get().user_id == FeedbackEvent.objects.get().user_id == str(reader.pk)


def test_lists_alone_become_the_users_at_login_too(books):
    client = Client()
    client.get(URL)
    reader = log_in(client)
    assert RequestLog.objects.get().user_id == str(reader.pk)


def test_a_programs_session_is_a_header_and_its_token_merges_the_lists(books, reader):
    session = Client(headers={HEADER: "new"}).get(URL)[HEADER]
    assert Client(headers={HEADER: session}).get(URL)[HEADER] == session
    assert RequestLog.objects.values("user_id").distinct().count() == 1
    token = Token.objects.create(user=reader.account).key
    assert posted(Client(headers={HEADER: session, "Authorization": f"Token {token}"}), books[0]).status_code == 201
    assert set(RequestLog.objects.values_list("user_id", flat=True)) == {str(reader.pk)}


def test_row_71_who_is_forgotten_after_the_login_is_forgotten_with_what_came_before_it(books):
    client = Client()
    client.get(URL)
    posted(client, books[5])
    reader = log_in(client)
    forget_user("books", reader.pk)
    assert not RequestLog.objects.exists()
    assert not FeedbackEvent.objects.exists()
    assert not AnonymousEvent.objects.exists()


def test_the_hosts_tables_of_what_users_did_are_not_asked(books):
    with CaptureQueriesContext(connection) as queries:
        answer = recommend(Visitor(uuid.uuid4().hex), "books", 2)
    assert len(answer.results) == 2
    assert not [query["sql"] for query in queries if "toyhost_reading" in query["sql"]]


def test_days_with_visitors_are_summed_up_with_them(books):
    client = Client()
    client.get(URL, {"limit": 3})
    RequestLog.objects.update(created_at=datetime.now(UTC) - timedelta(days=1))
    roll_up_day(get_use_case("books"), (datetime.now(UTC) - timedelta(days=1)).date())
    row = RollUp.objects.get()
    assert (row.user_id, row.requests, row.impressions) == (visitor(client).pk, 1, 3)


def test_the_first_post_with_a_token_may_name_an_answer_of_the_session(books):
    shown = Client().get(URL, headers={HEADER: "new"})
    reader, (item, *_) = library.add_reader(), [result["id"] for result in shown.json()["results"]]
    event = {"event_id": "a", "item": item, "event": "click", "request_id": shown.json()["request_id"]}
    told = {"Authorization": f"Token {Token.objects.create(user=reader.account).key}"}
    address = f"{URL}events/"
    assert Client().post(address, event, "application/json", headers=told).status_code == 400
    assert Client().post(address, event, "application/json", headers=told | {HEADER: shown[HEADER]}).status_code == 201
    assert RequestLog.objects.get().user_id == FeedbackEvent.objects.get().user_id == str(reader.pk)
    told["Authorization"] = f"Token {Token.objects.create(user=library.add_reader('bob').account).key}"
    assert Client().post(address, event, "application/json", headers=told | {HEADER: shown[HEADER]}).status_code == 400
