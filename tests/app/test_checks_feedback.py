"""Mistakes in what a use case says about posted events and about whom it learns from."""

from datetime import timedelta

import pytest

from recommender_app.usecases.declaration import UseCase
from tests.app.declarations import found
from tests.toyhost.models import Book


@pytest.mark.parametrize(
    "undo",
    [
        None,
        ["unlike"],
        {"unlike": None},
        {"": "like"},
        {3: "like"},
        {"view": "like"},
        {"click": "like"},
        {"rating": "like"},
        {"unlike": "lyke"},
        {"unlike": "impression"},
    ],
    ids=str,
)
def test_undo_that_takes_nothing_back(undo):
    assert found(undo=undo) == ["E035"]


def test_undo_needs_the_host():
    undo = {"unlike": "like"}
    assert found(undo=undo) == []
    assert found(undo=undo, undo_event=UseCase.undo_event) == ["E035"]
    assert found(undo_event=UseCase.undo_event) == []


@pytest.mark.parametrize("window", [None, 24, timedelta(0), timedelta(seconds=-1), "24h"])
def test_a_window_that_is_no_span(window):
    assert found(attribution_window=window) == ["E036"]


def test_a_window_that_is_one():
    assert found(attribution_window=timedelta(minutes=30)) == []


@pytest.mark.parametrize("name", ["created", "bio", "account", "account__username", "bio__x", "", 3])
def test_a_joining_date_that_is_none(name):
    assert found(joined_at=name) == ["E037"]


@pytest.mark.parametrize("name", [None, "account__date_joined"])
def test_a_joining_date_that_is_one_or_left_out(name):
    assert found(joined_at=name) == []


@pytest.mark.parametrize("most", [-1, 1.5, "200", True])
def test_a_cap_that_is_no_number(most):
    assert found(max_events_per_user_day=most) == ["E038"]


@pytest.mark.parametrize("most", [None, 0, 500])
def test_a_cap_that_is_one(most):
    assert found(max_events_per_user_day=most) == []


@pytest.mark.parametrize("name", ["allow_anonymous", "allow_anonymous_lists"])
@pytest.mark.parametrize(
    "get_items",
    [
        lambda self, user: Book.objects.filter(reading__reader=user.pk),
        lambda self, user: user.books,
        lambda self, user: {None: 1}[user] + "x",
        lambda self, user: Book.objects.filter(pages="many" if user is None else 1),
        lambda self, user: None,
        lambda self, user: [],
    ],
)
def test_who_lets_visitors_in_must_say_what_they_may_see(name, get_items):
    assert found(**{name: True}, get_items=get_items) == ["E039"]
    assert found(get_items=get_items) == []


@pytest.mark.parametrize("name", ["allow_anonymous", "allow_anonymous_lists"])
def test_what_visitors_may_see_is_said(name):
    def get_items(self, user):
        return Book.objects.none() if user is None else Book.objects.filter(reading__reader=user)

    assert found(**{name: True}, get_items=get_items) == found(**{name: True}) == []
