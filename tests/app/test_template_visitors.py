"""The template tag for somebody who has not logged in: consistent with lists of the API."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import engines
from django.test import Client, RequestFactory

from recommender_app.measurement.anonymous import COOKIE, session_of
from recommender_app.models import RequestLog
from recommender_app.usecases.site import get_use_case
from recommender_app.usecases.visitors import Visitor
from tests.app import library
from tests.toyhost.models import Book

pytestmark = pytest.mark.django_db
PAGE = '{% load recommender %}{% recommendations "books" limit=2 as books %}{% for book in books %}{{ book.title }} {% endfor %}'  # noqa: E501


@pytest.fixture(autouse=True)
def _visitors_are_welcome(monkeypatch, settings, tmp_path):
    def get_items(self, user):
        assert user is None
        return Book.objects.filter(is_published=True)

    declared = type(get_use_case("books"))
    monkeypatch.setattr(declared, "allow_anonymous_lists", True)
    monkeypatch.setattr(declared, "get_items", get_items)
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path, "RELOAD_SECONDS": 0}
    library.add_books("tea-0", "tea-1", "tea-2")


def rendered(cookie=None) -> str:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    if cookie:
        request.COOKIES[COOKIE] = cookie
    return engines["django"].from_string(PAGE).render({}, request)


def test_a_visitor_whom_the_api_knows_is_shown_and_logged_under_the_session():
    client = Client()
    client.get("/api/recommendations/books/")
    cookie = client.cookies[COOKIE].value
    RequestLog.objects.all().delete()
    assert rendered(cookie) == "tea-2 tea-1 "
    assert RequestLog.objects.get().user_id == Visitor(session_of(cookie)).pk


@pytest.mark.parametrize("cookie", [None, "forged"])
def test_a_newcomer_is_shown_the_same_and_nothing_is_logged(cookie):
    assert rendered(cookie) == "tea-2 tea-1 "
    assert not RequestLog.objects.exists()


def test_where_lists_need_a_login_the_tag_does(monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "allow_anonymous_lists", False)
    assert rendered() == ""
