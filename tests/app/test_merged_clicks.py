"""At a login, what a stranger did is tied to the answers that showed it, as if the events had named them."""

import pytest
from django.test import Client

from recommender_app.measurement.anonymous import COOKIE, session_of
from recommender_app.measurement.merging import merge
from recommender_app.models import FeedbackEvent, RequestLog
from recommender_app.usecases.site import get_use_case
from tests.app.posting import event, post
from tests.toyhost.models import Reading

pytestmark = pytest.mark.django_db
URL = "/api/recommendations/books/"


@pytest.fixture
def stranger(monkeypatch):
    """A browser without a login; clicks teach."""
    declared = type(get_use_case("books"))
    for name in ("allow_anonymous", "allow_anonymous_lists"):
        monkeypatch.setattr(declared, name, True)
    monkeypatch.setattr(declared, "weights", {**declared.weights, "click": 1.0})
    return Client()


def shown(client):
    return client.get(URL, {"limit": 3}).json()["request_id"]


def logs_in(client, reader):
    return merge(get_use_case("books"), session_of(client.cookies[COOKIE].value), reader)


def test_a_second_click_on_a_shown_item_is_none(stranger, books, reader):
    answer = shown(stranger)
    for _ in range(2):
        assert post(stranger, event(books[5], "click", request_id=answer)).status_code == 201
    assert post(stranger, event(books[4], "click")).status_code == 201
    assert logs_in(stranger, reader) == 2
    found = FeedbackEvent.objects.order_by("position").values_list("item_id", "request_id", "position")
    assert [(item, str(named), place) for item, named, place in found] == [
        (str(books[5].pk), answer, 1),
        (str(books[4].pk), answer, 2),
    ]
    assert Reading.objects.filter(reader=reader, kind="click").count() == 2


def test_a_click_on_each_of_two_answers_counts_twice_and_what_no_answer_showed_names_none(stranger, books, reader):
    answers = []
    for _ in range(2):
        answers.append(shown(stranger))
        post(stranger, event(books[5], "click", request_id=answers[-1]))
    post(stranger, event(books[0], "click"))
    assert logs_in(stranger, reader) == 3
    named = FeedbackEvent.objects.filter(item_id=str(books[5].pk)).order_by("occurred_at")
    assert [str(row.request_id) for row in named] == answers
    assert FeedbackEvent.objects.get(item_id=str(books[0].pk)).request_id is None


def test_an_answer_that_holds_the_item_no_more_ties_nothing(stranger, books, reader):
    shown(stranger)
    post(stranger, event(books[5], "click"))
    RequestLog.objects.update(results=[{"item": "", "rank": 1}])
    assert logs_in(stranger, reader) == 1
    assert FeedbackEvent.objects.get().request_id is None
