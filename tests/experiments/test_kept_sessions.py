"""A visitor is enrolled once a request brings its session back: programs that keep none are no units."""

import pytest
from django.test import Client

from recommender_app.api.visitors import HEADER
from recommender_app.measurement.anonymous import COOKIE, session_of
from recommender_app.models import Assignment, RequestLog
from tests.experiments.making import hashed_arm, make_phase
from tests.toyhost.recommendations import BooksForReaders

URL = "/api/recommendations/books/"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


@pytest.fixture(autouse=True)
def phase(monkeypatch):
    monkeypatch.setattr(BooksForReaders, "allow_anonymous", True)
    monkeypatch.setattr(BooksForReaders, "allow_anonymous_lists", True)
    return make_phase(unit_type="session")


def logged_arms():
    return list(RequestLog.objects.order_by("pk").values_list("arm", flat=True))


@pytest.mark.parametrize("header", [{}, {HEADER: "new"}, {HEADER: "not-signed-by-us"}])
def test_a_client_that_keeps_no_session_is_never_enrolled(header):
    for _ in range(3):
        assert Client().get(URL, headers=header).status_code == 200
    assert logged_arms() == [None] * 3
    assert not Assignment.objects.exists()


def test_a_cookie_that_comes_back_is_enrolled_once(phase):
    client = Client()
    for _ in range(3):
        client.get(URL)
    session = session_of(client.cookies[COOKIE].value)
    arm = hashed_arm(phase, session, "session")
    assert logged_arms() == [None, arm, arm]
    assert list(Assignment.objects.values_list("unit_id", "arm__key")) == [(session, arm)]


def test_a_header_that_comes_back_is_enrolled_once(phase):
    signed = Client().get(URL, headers={HEADER: "new"})[HEADER]
    for _ in range(2):
        Client().get(URL, headers={HEADER: signed})
    arm = hashed_arm(phase, session_of(signed), "session")
    assert logged_arms() == [None, arm, arm]
    assert Assignment.objects.get().unit_id == session_of(signed)
