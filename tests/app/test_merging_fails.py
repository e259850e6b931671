"""Hooks of the host that fail while a session becomes a user's: neither the login nor the post fails with them."""

import pytest
from django.shortcuts import get_object_or_404
from django.test import Client
from rest_framework.authtoken.models import Token

from recommender_app.api.visitors import HEADER
from recommender_app.models import AnonymousEvent, FeedbackEvent
from recommender_app.usecases.site import get_use_case
from tests.app.posting import event, post
from tests.app.test_events_anonymous import by_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def books_of(monkeypatch):
    """The declaration, which takes clicks of strangers and learns from them."""
    declared = type(get_use_case("books"))
    monkeypatch.setattr(declared, "allow_anonymous", True)
    monkeypatch.setattr(declared, "weights", {**declared.weights, "click": 1.0})
    return declared


def get_user_of_the_api_only(self, request):
    return self.users.objects.get(account=request.user, name=request.query_params.get("name", "ann"))


def get_user_of_whoever_is_there(self, request):
    return get_object_or_404(self.users, account=request.user, name="nobody")


def record_that_fails(self, user, item, event, at):
    raise {"click": KeyError, "view": ZeroDivisionError}[event]("of the host")


@pytest.mark.parametrize("hook", [get_user_of_the_api_only, get_user_of_whoever_is_there, record_that_fails])
def test_a_login_goes_on_and_the_events_wait(reader, books, books_of, monkeypatch, caplog, hook):
    caplog.set_level("INFO")
    client = Client()
    assert post(client, event(books[0], "click")).status_code == 201
    reader.account.set_password("secret")
    reader.account.save()
    monkeypatch.setattr(books_of, hook.__name__.split("_of_")[0].split("_that_")[0], hook)
    by_form(client, reader.account.username)
    assert AnonymousEvent.objects.count() == 1
    assert "Events from before a login wait in books" in caplog.text


def test_what_is_posted_with_the_session_is_recorded_and_answered(reader, books, books_of, monkeypatch, caplog):
    session = post(Client(headers={HEADER: "new"}), event(books[0], "click"))[HEADER]
    monkeypatch.setattr(books_of, "record", record_that_fails)
    headers = {"Authorization": f"Token {Token.objects.create(user=reader.account).key}", HEADER: session}
    assert post(Client(headers=headers), event(books[1], "impression")).status_code == 201
    assert FeedbackEvent.objects.get().event == "impression"
    assert AnonymousEvent.objects.count() == 1
    assert "Events from before a login wait in books" in caplog.text
