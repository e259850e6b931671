"""POST events: what is refused, how, and that nothing of it stays."""

import uuid
from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.test import Client

from recommender_app.models import FeedbackEvent
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.app.posting import ago, errors, event, post, show
from tests.toyhost.models import Book

pytestmark = pytest.mark.django_db


# --- What is refused


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user", 7),
        ("user_id", "7"),
        ("weight", 1e38),
        ("weight", True),
        ("is_superuser", True),
        ("created_at", "2024-01-01T00:00:00Z"),
        ("received_at", "2024-01-01T00:00:00Z"),
        ("use_case", "books"),
    ],
)
def test_row_52_and_53_fields_that_are_not_the_clients_are_refused_by_name(reader_client, books, field, value):
    assert errors(post(reader_client, event(books[0], **{field: value}))) == {field: ["An event has no such field."]}


@pytest.mark.parametrize("weight", ["NaN", "Infinity", "1e400"])
def test_row_53_a_weight_that_is_no_number_is_no_json(reader_client, books, weight):
    body = f'{{"event_id": "a", "item": "{books[0].pk}", "event": "like", "weight": {weight}}}'
    assert post(reader_client, body).status_code == 400
    assert not FeedbackEvent.objects.exists()


def test_row_51_missing_hidden_and_impossible_items_get_the_same_answer(reader_client, books):
    Book.objects.filter(pk=books[0].pk).update(is_published=False)
    answers = [
        errors(post(reader_client, {"event_id": "a", "item": item, "event": "like"}))
        for item in (str(books[0].pk), str(uuid.uuid4()), "x", 7, 2**63 - 1, -1)
    ]
    assert answers == [{"item": ["There is no such item in books."]}] * 6


@pytest.mark.parametrize(
    "moment",
    [
        "2999-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "2024-05-01T12:00:00",
        "2024-05-01",
        "2024-13-01T00:00:00Z",
        "now",
        "",
        1714564800,
        None,
        True,
        ["2024-05-01T12:00:00Z"],
    ],
)
def test_row_55_times_that_cannot_be(reader_client, books, moment):
    assert list(errors(post(reader_client, event(books[0], occurred_at=moment)))) == ["occurred_at"]


def test_row_55_a_naive_time_is_refused_even_if_it_is_now(reader_client, books):
    now = datetime.now(UTC).replace(tzinfo=None).isoformat()
    assert "no time zone" in errors(post(reader_client, event(books[0], occurred_at=now)))["occurred_at"][0]


@pytest.mark.parametrize(("span", "status"), [({"days": 6.99}, 201), ({"days": 7.01}, 400), ({"minutes": -6}, 400)])
def test_row_55_the_window_is_seven_days_and_five_minutes(reader_client, books, span, status):
    assert post(reader_client, event(books[0], occurred_at=ago(**span))).status_code == status


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_id", 5),
        ("event_id", "a b"),
        ("event_id", "a\n"),
        ("event_id", "x" * 65),
        ("event_id", ""),
        ("event_id", None),
        ("item", True),
        ("item", 1.5),
        ("item", None),
        ("item", {}),
        ("item", ""),
        ("item", "x" * 256),
        ("event", 5),
        ("event", "sneeze"),
        ("event", "Like"),
        ("event", " like"),
        ("event", None),
        ("request_id", 5),
        ("request_id", "5"),
        ("request_id", "{0b8f7d4e-5c9d-4e43-8f1e-6c1c6f1d2a77}"),
        ("position", "1"),
        ("position", True),
        ("position", 1.0),
        ("position", 0),
        ("position", 1001),
        ("rating", 5),
        ("rating", None),
    ],
)
def test_values_of_another_type_or_range_are_refused_by_name(reader_client, books, field, value):
    assert list(errors(post(reader_client, event(books[0]) | {field: value}))) == [field]


@pytest.mark.parametrize("rating", [0, 6, "5", 4.5, True, None])
def test_ratings_are_one_to_five(reader_client, books, rating):
    assert list(errors(post(reader_client, event(books[0], "rating", rating=rating)))) == ["rating"]


def test_a_rating_needs_its_number(reader_client, books):
    assert list(errors(post(reader_client, event(books[0], "rating")))) == ["rating"]


def test_answers_to_others_of_other_use_cases_and_of_nobody_are_refused_alike(reader_client, books, reader):
    other = Client()
    other.force_login(library.add_reader("bob").account)
    foreign = show(other, books[4])
    own = show(reader_client, books[4])
    from recommender_app.models import RequestLog

    RequestLog.objects.filter(request_id=own).update(use_case="movies")
    found = [
        errors(post(reader_client, event(books[4], "click", request_id=request_id)))
        for request_id in (foreign, own, str(uuid.uuid4()))
    ]
    assert found == [{"request_id": ["No answer of books to you has this id."]}] * 3


def test_an_item_that_the_answer_did_not_show(reader_client, books, shown):
    found = errors(post(reader_client, event(books[0], "click", request_id=shown)))
    assert found == {"item": ["The answer that request_id names did not show this item."]}


def test_a_place_that_is_not_the_items_in_that_answer(reader_client, books, shown):
    found = errors(post(reader_client, event(books[4], "click", request_id=shown, position=2)))
    assert found == {"position": ["In that answer the item was at place 1: say that, or leave it out."]}


def test_a_host_that_records_nothing_takes_measurements_only(reader_client, books, monkeypatch):
    from recommender_app.usecases.declaration import UseCase

    monkeypatch.setattr(type(get_use_case("books")), "record", UseCase.record)
    assert "choose from" in errors(post(reader_client, event(books[0], "like")))["event"][0]
    assert post(reader_client, event(books[0], "click")).status_code == 201


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (ValidationError("It is sold out."), "It is sold out."),
        (IntegrityError("duplicate key"), "It cannot be recorded beside what is there already."),
    ],
)
def test_what_the_host_refuses_refuses_the_whole_post(reader_client, books, monkeypatch, refusal, reason):
    record = type(get_use_case("books")).record

    def refuse(self, user, item, name, at):
        if name == "finish":
            raise refusal
        return record(self, user, item, name, at)

    monkeypatch.setattr(type(get_use_case("books")), "record", refuse)
    found = errors(post(reader_client, [event(books[0], "like"), event(books[1], "finish")]))
    assert found == {"1.event": [reason]}
