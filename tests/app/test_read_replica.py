"""A host that reads from a replica, which lags: what depends on rows of a moment ago asks where they were written."""

import pytest
from django.db import connections
from django.test import Client
from rest_framework.authtoken.models import Token

from recommender_app.api.visitors import HEADER
from recommender_app.models import AnonymousEvent, FeedbackEvent, RequestLog
from recommender_app.privacy import forget_user, forgetting
from recommender_app.usecases.site import get_use_case
from tests.app import library
from tests.app.posting import event, post
from tests.toyhost.models import Reader

pytestmark = pytest.mark.django_db
URL = "/api/recommendations/books/"


class Replica:
    """A database without any table: whoever reads there fails."""

    def db_for_read(self, model, **hints):
        return "replica" if model in (RequestLog, FeedbackEvent, AnonymousEvent) else None


@pytest.fixture(autouse=True)
def _reads_go_elsewhere(settings, tmp_path, monkeypatch):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": tmp_path, "RELOAD_SECONDS": 0.0}
    settings.DATABASE_ROUTERS = [Replica()]
    empty = {**connections.databases["default"], "ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    monkeypatch.setitem(connections.databases, "replica", empty)
    monkeypatch.setattr(forgetting, "ANSWER_SECONDS", 0.0)
    for name in ("allow_anonymous", "allow_anonymous_lists"):
        monkeypatch.setattr(type(get_use_case("books")), name, True)
    yield
    connections["replica"].close()
    del connections["replica"]


def test_an_event_may_name_the_answer_of_a_moment_ago(reader_client, books):
    shown = reader_client.get(URL, {"limit": 1}).json()
    answer = post(reader_client, event(books[5], "click", request_id=shown["request_id"]))
    assert answer.status_code == 201, answer.content


def test_a_session_becomes_the_users_with_what_it_did_a_moment_ago(reader, books):
    shown = Client().get(URL, headers={HEADER: "new"})
    told, request_id = {HEADER: shown[HEADER]}, shown.json()["request_id"]
    assert post(Client(headers=told), event(books[5], "click", request_id=request_id)).status_code == 201
    told["Authorization"] = f"Token {Token.objects.create(user=reader.account).key}"
    assert post(Client(headers=told), event(books[0])).status_code == 201
    written = FeedbackEvent.objects.using("default").order_by("event")
    assert list(written.values_list("user_id", "event")) == [(str(reader.pk), "click"), (str(reader.pk), "like")]
    assert RequestLog.objects.using("default").get().user_id == str(reader.pk)


def test_who_is_forgotten_is_taken_out_of_the_answers_of_a_moment_ago(reader_client, books, monkeypatch):
    monkeypatch.setattr(type(get_use_case("books")), "items", Reader)  # people who are recommended
    row = {"requested_limit": 1, "n_results": 1, "engine": "als", "use_case": "books"}
    person = library.add_reader("bob")
    results = [{"item": str(person.pk), "rank": 1}]
    RequestLog.objects.create(request_id="0b8f7d4e-5c9d-4e43-8f1e-6c1c6f1d2a77", results=results, user_id="x", **row)
    forget_user("books", person.pk)
    assert RequestLog.objects.using("default").get().results == [{"item": "", "rank": 1}]
