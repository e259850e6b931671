"""What people do before they log in: kept by a signed session, theirs from their login on."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection
from django.test import Client
from rest_framework.authtoken.models import Token

from recommender_app.api.visitors import HEADER
from recommender_app.exceptions import InvalidEvents
from recommender_app.management.log_upkeep import trim_request_log
from recommender_app.measurement import anonymous
from recommender_app.measurement.events import PostedEvent
from recommender_app.models import AnonymousEvent, FeedbackEvent
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.app.logins import by_form, log_in
from tests.toyhost.models import Book, Reading

pytestmark = pytest.mark.django_db
URL = "/api/recommendations/books/events/"


@pytest.fixture(autouse=True)
def _anonymous_is_allowed(monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "allow_anonymous", True)


@pytest.fixture
def books():
    return library.add_shelves(2)


@pytest.fixture
def client():
    return Client()


def event(book, name="click", **fields):
    return {"event_id": str(uuid.uuid4()), "item": str(book.pk), "event": name, **fields}


def post(client, *events):
    return client.post(URL, list(events), content_type="application/json")


def test_where_it_is_not_allowed_a_login_is_needed(client, books, monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "allow_anonymous", False)
    assert post(client, event(books[0])).status_code == 401
    assert client.post("/api/recommendations/nothing/events/", {}, content_type="application/json").status_code == 401


def test_impressions_and_clicks_of_a_browser_are_one_session(client, books):
    assert post(client, event(books[0], "impression")).status_code == 201
    assert post(client, event(books[0], "click")).status_code == 201
    assert post(Client(), event(books[0])).status_code == 201
    sessions = list(AnonymousEvent.objects.order_by("pk").values_list("session", flat=True))
    assert sessions[0] == sessions[1] != sessions[2]
    assert not FeedbackEvent.objects.exists()
    assert not Reading.objects.exists()
    cookie = client.cookies[anonymous.COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_login_makes_them_the_users_with_their_times(client, books):
    moment = datetime.now(UTC) - timedelta(days=2)
    post(client, event(books[0], event_id="a", occurred_at=moment.isoformat()), event(books[1], "impression"))
    reader = log_in(client)
    assert set(FeedbackEvent.objects.values_list("user_id", "item_id", "event")) == {
        (str(reader.pk), str(books[0].pk), "click"),
        (str(reader.pk), str(books[1].pk), "impression"),
    }
    assert FeedbackEvent.objects.get(event_id="a").occurred_at == moment
    assert not AnonymousEvent.objects.exists()


def test_what_is_learned_from_reaches_the_host_at_login(client, books, monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "weights", {**get_use_case("books").weights, "click": 1.0})
    post(client, event(books[0]))
    assert not Reading.objects.exists()
    reader = log_in(client)
    assert Reading.objects.get().reader == reader


def test_a_host_that_refuses_most_clicks_is_not_asked_again_and_again(client, monkeypatch):
    books, asked = library.add_shelves(16), []

    def refuse(self, user, item, event, at):
        asked.append(item.pk)
        if item.pk != books[0].pk:
            raise ValidationError("no")

    monkeypatch.setattr(type(get_use_case("books")), "weights", {**get_use_case("books").weights, "click": 1.0})
    monkeypatch.setattr(type(get_use_case("books")), "record", refuse)
    post(client, *[event(book) for book in books], *[event(book, "impression") for book in books])
    log_in(client)
    assert asked.count(books[0].pk) <= 6  # once per halving, not once per refusal
    assert len(asked) <= 40
    assert FeedbackEvent.objects.filter(event="click").count() == 1
    assert FeedbackEvent.objects.filter(event="impression").count() == len(books)


def test_a_session_belongs_to_the_first_who_logs_in(client, books):
    post(client, event(books[0]))
    first = log_in(client)
    log_in(client, "bob")
    assert FeedbackEvent.objects.get().user_id == str(first.pk)


def test_what_may_not_be_seen_any_more_or_is_too_old_is_dropped_at_login(client, books):
    post(client, event(books[0]), event(books[1]), event(books[2]))
    Book.objects.filter(pk=books[0].pk).update(is_published=False)
    old = datetime.now(UTC) - timedelta(days=8)
    AnonymousEvent.objects.filter(item_id=str(books[1].pk)).update(occurred_at=old)
    log_in(client)
    assert list(FeedbackEvent.objects.values_list("item_id", flat=True)) == [str(books[2].pk)]
    assert not AnonymousEvent.objects.exists()


def test_a_login_that_is_nobody_here_leaves_them_and_goes_on(client, books):
    post(client, event(books[0]))
    get_user_model().objects.create_user("no-reader", password="secret")
    by_form(client, "no-reader")
    assert AnonymousEvent.objects.count() == 1


@pytest.mark.parametrize("cookie", ["", "x", "YWJj:1:x", "é"])
def test_a_cookie_that_we_did_not_sign_is_replaced_and_merges_nothing(books, cookie):
    client = Client()
    client.cookies[anonymous.COOKIE] = cookie
    assert post(client, event(books[0])).status_code == 201
    assert anonymous.session_of(client.cookies[anonymous.COOKIE].value) == AnonymousEvent.objects.get().session
    client.cookies[anonymous.COOKIE] = cookie
    log_in(client)
    assert AnonymousEvent.objects.count() == 1


def test_an_event_sent_again_is_stored_once(client, books):
    body = event(books[0])
    assert [post(client, body).status_code for _ in range(2)] == [201, 200]
    log_in(client)
    assert post(client, body).status_code == 200
    assert FeedbackEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"event": "like"}, "event"),
        ({"event": "rating", "rating": 5}, "event"),
        ({"request_id": str(uuid.uuid4())}, "request_id"),
        ({"item": str(uuid.uuid4())}, "item"),
        ({"occurred_at": "1970-01-01T00:00:00Z"}, "occurred_at"),
        ({"session": "x"}, "session"),
    ],
)
def test_the_rest_needs_a_login_or_is_refused_as_ever(client, books, changes, field):
    answer = post(client, event(books[0]) | changes)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [f"0.{field}"]
    assert not AnonymousEvent.objects.exists()


def test_a_session_is_bounded(client, books, monkeypatch):
    monkeypatch.setattr(anonymous, "MOST_EVENTS", 3)
    assert post(client, event(books[0]), event(books[0])).status_code == 201
    assert "log in" in post(client, event(books[0]), event(books[0])).json()["detail"]
    assert AnonymousEvent.objects.count() == 2


def test_posts_without_login_have_a_rate_of_their_own(client, books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": {"anonymous_events": "1/hour"}}
    assert [post(client, event(books[0])).status_code for _ in range(2)] == [201, 429]
    log_in(client)
    assert [post(client, event(books[0])).status_code for _ in range(2)] == [201, 201]


def test_after_a_week_what_nobody_logged_in_to_is_deleted_with_the_old_log(client, books):
    post(client, event(books[0]), event(books[1]))
    long_ago = datetime.now(UTC) - timedelta(days=7, minutes=1)
    AnonymousEvent.objects.filter(item_id=str(books[0].pk)).update(received_at=long_ago)
    trim_request_log()
    assert AnonymousEvent.objects.get().item_id == str(books[1].pk)


# --- Logins by token, which no signal tells of


def by_token(reader, *events, session=None, key="books"):
    """Post as a program does, which keeps no cookies."""
    token = Token.objects.get_or_create(user=reader.account)[0].key
    headers = {"Authorization": f"Token {token}"} | ({HEADER: session} if session else {})
    url = URL.replace("books", key)
    return Client(headers=headers).post(url, list(events), content_type="application/json")


def as_stranger(session, *events):
    """Post without a login; return the session that the answer gives."""
    answer = post(Client(headers={HEADER: session}), *events)
    assert answer.status_code == 201
    assert anonymous.COOKIE not in answer.cookies
    return answer[HEADER]


def test_a_program_that_keeps_no_cookies_holds_its_session_in_a_header(books):
    session = as_stranger("new", event(books[0]))
    assert as_stranger(session, event(books[1])) == session
    assert as_stranger("new", event(books[1])) != session
    assert AnonymousEvent.objects.filter(session=anonymous.session_of(session)).count() == 2


def test_the_first_post_with_a_token_and_the_session_makes_its_events_the_users(books):
    session, reader = as_stranger("new", event(books[0], event_id="before")), library.add_reader()
    assert by_token(reader, event(books[1], event_id="without")).status_code == 201
    assert AnonymousEvent.objects.count() == 1
    answer = by_token(reader, event(books[1], event_id="with"), session=session)
    assert answer.json()["results"] == [{"event_id": "with", "status": "recorded"}]
    assert set(FeedbackEvent.objects.values_list("user_id", "event_id")) == {
        (str(reader.pk), event_id) for event_id in ("before", "without", "with")
    }
    assert not AnonymousEvent.objects.exists()
    bob = library.add_reader("bob")
    by_token(bob, event(books[2]), session=session)
    assert FeedbackEvent.objects.filter(user_id=str(bob.pk)).count() == 1  # the session was ann's, and is used up


@pytest.mark.parametrize("change", [lambda signed: signed[:-1], lambda _: "x" * 32, anonymous.session_of])
def test_a_session_that_we_did_not_sign_merges_nothing_even_if_its_number_is_right(books, change):
    session, bob = as_stranger("new", event(books[0])), library.add_reader("bob")
    assert by_token(bob, event(books[1]), session=change(session)).status_code == 201
    assert AnonymousEvent.objects.count() == FeedbackEvent.objects.count() == 1


def test_a_session_that_is_signed_for_something_else_merges_nothing(books):
    as_stranger("new", event(books[0]))
    number, bob = AnonymousEvent.objects.get().session, library.add_reader("bob")
    by_token(bob, event(books[1]), session=signing.dumps(number, salt="elsewhere"))
    assert AnonymousEvent.objects.count() == 1


def test_a_post_that_is_refused_merges_nothing(books):
    session, reader = as_stranger("new", event(books[0])), library.add_reader()
    assert by_token(reader, event(books[1], "sneeze"), session=session).status_code == 400
    assert AnonymousEvent.objects.count() == 1


def test_a_browser_that_was_logged_in_without_a_signal_is_merged_and_its_cookie_goes(client, books):
    post(client, event(books[0]))
    client.force_login(library.add_reader().account)  # the test client's login sends no cookies
    assert post(client, event(books[1])).status_code == 201
    assert not AnonymousEvent.objects.exists()
    assert not client.cookies[anonymous.COOKIE].value


def test_where_the_events_cannot_be_merged_the_post_is_recorded_all_the_same(books, caplog):
    session, reader = as_stranger("new", event(books[0])), library.add_reader()

    def refuse(execute, sql, params, many, context):
        if "anonymousevent" in sql:
            raise OperationalError("refused")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        assert by_token(reader, event(books[1]), session=session).status_code == 201
    assert "Events from before a login wait in books." in caplog.text
    assert by_token(reader, event(books[2]), session=session).status_code == 201
    assert FeedbackEvent.objects.count() == 3


def test_a_full_session_may_send_again_what_it_has_sent(books, monkeypatch):
    monkeypatch.setattr(anonymous, "MOST_EVENTS", 2)
    use_case = get_use_case("books")
    events = [PostedEvent(f"e-{number}", str(books[number].pk), "impression") for number in range(3)]
    assert anonymous.record_anonymous(use_case, "s", events[:2]) == ["recorded", "recorded"]
    assert anonymous.record_anonymous(use_case, "s", events[:2]) == ["duplicate", "duplicate"]
    with pytest.raises(InvalidEvents, match="holds 2 events at most"):
        anonymous.record_anonymous(use_case, "s", events)
