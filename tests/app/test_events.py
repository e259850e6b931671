"""POST events: what is recorded, and once."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.authtoken.models import Token

from recommender_app.models import FeedbackEvent, RequestLog
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.app.posting import URL, ago, errors, event, post, show
from tests.toyhost.models import Book, Reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def _can_unlike(monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "undo", {"unlike": "like"})


# --- What is recorded


def test_an_event_becomes_a_row_of_the_host_and_of_the_ledger(reader_client, reader, books):
    body = event(books[0], event_id="e-1", occurred_at=ago(hours=3))
    answer = post(reader_client, body)
    assert (answer.status_code, answer.json()) == (201, {"results": [{"event_id": "e-1", "status": "recorded"}]})
    reading, row = Reading.objects.get(), FeedbackEvent.objects.get()
    assert (reading.reader, reading.book, reading.kind) == (reader, books[0], "like")
    assert reading.at == row.occurred_at == datetime.fromisoformat(body["occurred_at"])
    assert (row.use_case, row.user_id, row.item_id, row.event) == ("books", str(reader.pk), str(books[0].pk), "like")
    assert (row.request_id, row.position, row.rating, row.undone_at) == (None, None, None, None)


def test_an_event_of_a_shown_item_is_tied_to_its_answer_and_place(reader_client, books, shown):
    post(
        reader_client,
        [event(books[2], "view", request_id=shown), event(books[4], "view", request_id=shown, position=1)],
    )
    rows = FeedbackEvent.objects.order_by("position").values_list("item_id", "position", "request_id")
    assert list(rows) == [(str(books[4].pk), 1, uuid.UUID(shown)), (str(books[2].pk), 2, uuid.UUID(shown))]


@pytest.mark.parametrize("name", ["impression", "click"])
def test_what_the_use_case_does_not_learn_from_is_measured_only(reader_client, books, shown, name):
    assert post(reader_client, event(books[4], name, request_id=shown)).status_code == 201
    assert FeedbackEvent.objects.get().event == name
    assert not Reading.objects.exists()


def test_a_rating_has_its_number(reader_client, books):
    assert post(reader_client, event(books[0], "rating", rating=4)).status_code == 201
    assert FeedbackEvent.objects.get().rating == 4


@pytest.mark.usefixtures("_can_unlike")
def test_undoing_takes_back_the_hosts_row_and_says_when_in_the_ledger(reader_client, books):
    post(reader_client, [event(books[0], "like"), event(books[1], "like"), event(books[0], "view")])
    assert post(reader_client, event(books[0], "unlike")).status_code == 201
    assert set(Reading.objects.values_list("book", "kind")) == {(books[1].pk, "like"), (books[0].pk, "view")}
    undone = FeedbackEvent.objects.exclude(undone_at=None).values_list("item_id", "event")
    assert list(undone) == [(str(books[0].pk), "like")]
    post(reader_client, event(books[0], "like"))
    assert FeedbackEvent.objects.filter(undone_at=None, event="like", item_id=str(books[0].pk)).count() == 1


@pytest.mark.usefixtures("_can_unlike")
def test_events_of_a_post_happen_in_its_order(reader_client, books):
    post(reader_client, [event(books[0], "like"), event(books[0], "unlike")])
    assert not Reading.objects.exists()
    post(reader_client, [event(books[0], "unlike"), event(books[0], "like")])
    assert Reading.objects.count() == 1
    post(reader_client, [event(books[0], name) for name in ("unlike", "like", "unlike", "like")])
    assert Reading.objects.count() == FeedbackEvent.objects.filter(event="like", undone_at=None).count() == 1


def test_a_clock_that_is_a_little_ahead_is_read_as_now(reader_client, books):
    post(reader_client, event(books[0], occurred_at=(datetime.now(UTC) + timedelta(minutes=4)).isoformat()))
    row = FeedbackEvent.objects.get()
    assert row.occurred_at == row.received_at == Reading.objects.get().at <= datetime.now(UTC)


def test_an_item_that_hide_after_hides_can_still_be_spoken_of(reader_client, books):
    post(reader_client, event(books[0], "finish"))
    assert post(reader_client, event(books[0], "dislike")).status_code == 201


# --- Once


def test_an_event_sent_again_is_stored_once(reader_client, books):
    body = event(books[0])
    assert [post(reader_client, body).status_code for _ in range(3)] == [201, 200, 200]
    assert post(reader_client, body).json() == {"results": [{"event_id": body["event_id"], "status": "duplicate"}]}
    assert Reading.objects.count() == FeedbackEvent.objects.count() == 1


def test_an_event_sent_again_is_a_duplicate_even_if_the_item_is_hidden_meanwhile(reader_client, books):
    body = event(books[0])
    post(reader_client, body)
    Book.objects.update(is_published=False)
    assert post(reader_client, body).status_code == 200


def test_an_event_twice_in_one_post_is_stored_once(reader_client, books):
    body = event(books[0])
    assert [result["status"] for result in post(reader_client, [body, body]).json()["results"]] == [
        "recorded",
        "duplicate",
    ]
    assert Reading.objects.count() == 1


def test_an_id_cannot_name_two_events(reader_client, books):
    post(reader_client, event(books[0], event_id="one"))
    for other in (event(books[1], event_id="one"), event(books[0], "view", event_id="one")):
        answer = post(reader_client, other)
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == ["event_id"]
    both = post(reader_client, [event(books[0], event_id="two"), event(books[1], event_id="two")])
    assert list(both.json()["errors"]) == ["1.event_id"]
    assert FeedbackEvent.objects.count() == 1


def test_ids_of_other_users_are_their_own(reader_client, books):
    other = Client()
    other.force_login(library.add_reader("bob").account)
    assert [post(each, event(books[0], event_id="one")).status_code for each in (reader_client, other)] == [201, 201]


@pytest.mark.parametrize("name", ["click", "impression"])
def test_at_most_one_click_and_impression_per_shown_item_and_request(reader_client, books, shown, name):
    first, second = (event(books[4], name, request_id=shown) for _ in range(2))
    assert [post(reader_client, body).status_code for body in (first, second)] == [201, 200]
    assert post(reader_client, event(books[2], name, request_id=shown)).status_code == 201
    assert post(reader_client, event(books[4], name, request_id=show(reader_client, books[4]))).status_code == 201
    assert FeedbackEvent.objects.count() == 3


@pytest.mark.parametrize("ids", ["ab", "ba"])
def test_of_two_clicks_in_one_post_the_first_is_recorded(reader_client, books, shown, ids):
    answer = post(reader_client, [event(books[4], "click", request_id=shown, event_id=name) for name in ids])
    assert [each["status"] for each in answer.json()["results"]] == ["recorded", "duplicate"]
    assert FeedbackEvent.objects.get().event_id == ids[0]


def test_a_click_where_the_use_case_learns_from_it_is_learned_from_once(reader_client, books, shown, monkeypatch):
    weights = {**get_use_case("books").weights, "click": 1.0}
    monkeypatch.setattr(type(get_use_case("books")), "weights", weights)
    post(reader_client, [event(books[4], "click", request_id=shown) for _ in range(3)])
    assert Reading.objects.count() == 1


# --- Many


def test_a_list_is_recorded_whole_or_not_at_all_and_each_error_has_its_number(reader_client, books):
    post_body = [event(books[0]), event(books[1], "sneeze"), event(books[2]), event(books[0], item=str(uuid.uuid4()))]
    assert list(errors(post(reader_client, post_body))) == ["1.event", "3.item"]
    post_body = [event(books[0]), event(books[1], weight=1), 7]
    assert list(errors(post(reader_client, post_body))) == ["1.weight", "2.non_field_errors"]


def test_what_is_wrong_with_a_whole_post_is_told_without_the_name_of_a_field(reader_client):
    told = post(reader_client, []).json()
    assert told["detail"] == "This list may not be empty."
    assert told["errors"] == {"non_field_errors": ["This list may not be empty."]}


@pytest.mark.parametrize("body", [[], {}, 5, "like", None, True, [[]], [{}] * 501])
def test_bodies_that_are_no_events(reader_client, body):
    import json

    errors(post(reader_client, json.dumps(body)))


def test_five_hundred_events_fit(reader_client, books):
    body = [{"event_id": f"e{n}", "item": str(books[n % 6].pk), "event": "impression"} for n in range(500)]
    assert post(reader_client, body).status_code == 201
    assert FeedbackEvent.objects.count() == 500


def test_queries_do_not_grow_with_the_number_of_measurements_nor_twice_with_that_of_interactions(
    reader_client, books, shown
):
    def queries(*posted):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert post(reader_client, list(posted)).status_code == 201
        return len(captured)

    one = queries(event(books[4], "impression", request_id=shown))
    many = queries(*[event(books[n % 6], "impression") for n in range(60)], event(books[2], "click", request_id=shown))
    assert one == many
    assert queries(*[event(books[n % 6], "view") for n in range(30)]) <= one + 30  # the host's INSERT of each


# --- Whose and how often


def test_without_login_with_get_and_with_another_content_type(reader_client, books):
    assert post(Client(), event(books[0])).status_code == 401
    assert reader_client.get(URL).status_code == 405
    assert reader_client.post(URL, {"item": 1}).status_code == 415
    assert post(reader_client, event(books[0]) | {"item": "\ud800"}).status_code == 400
    assert (
        reader_client.post(
            URL.replace("books", "nothing"), event(books[0]), content_type="application/json"
        ).status_code
        == 404
    )


def test_a_session_needs_the_csrf_token(reader, books):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(reader.account)
    refused = post(browser, event(books[0]))
    assert refused.status_code == 403
    assert refused["Content-Type"] == "application/json"
    assert refused.json().keys() == {"detail"}
    assert "CSRF" in refused.json()["detail"]
    assert not FeedbackEvent.objects.exists()
    token = get_token_of(browser)
    answer = browser.post(URL, event(books[0]), content_type="application/json", headers={"X-CSRFToken": token})
    assert answer.status_code == 201


def get_token_of(browser):
    """Return what a page of the site puts into its csrftoken cookie."""
    browser.get(reverse("rest_framework:login"))
    return browser.cookies["csrftoken"].value


def test_a_token_login_needs_no_csrf_token(reader, books):
    key = Token.objects.create(user=reader.account).key
    program = Client(enforce_csrf_checks=True, headers={"Authorization": f"Token {key}"})
    assert post(program, event(books[0])).status_code == 201


def test_for_names_another_of_the_logins_users_and_nobody_elses(reader_client, reader, books):
    from tests.toyhost.models import Reader

    second = Reader.objects.create(name="second", account=reader.account)
    other = library.add_reader("bob")
    answers = [
        reader_client.post(f"{URL}?for={who.pk}", event(books[0]), content_type="application/json")
        for who in (second, other)
    ]
    assert [answer.status_code for answer in answers] == [201, 404]
    assert Reading.objects.get().reader == second
    assert reader_client.post(f"{URL}?user=7", event(books[0]), content_type="application/json").status_code == 400


def test_posts_are_throttled_by_a_rate_of_their_own(reader_client, books, settings):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "THROTTLE_RATES": {"events": "2/hour"}}
    answers = [post(reader_client, event(books[0])) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert int(answers[2]["Retry-After"]) > 0


def test_what_a_slow_clock_dates_before_its_answer_happened_with_it(reader_client, books):
    request_id = show(reader_client, books[4], books[2])
    assert (
        post(reader_client, event(books[4], "click", request_id=request_id, occurred_at=ago(days=2))).status_code == 201
    )
    assert FeedbackEvent.objects.get().occurred_at == RequestLog.objects.get().created_at


def test_answers_are_kept_by_no_cache(reader_client, books):
    for response in (reader_client.get("/api/recommendations/books/"), post(reader_client, event(books[0]))):
        assert response["Cache-Control"] == "private, no-store"
