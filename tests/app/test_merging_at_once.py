"""Logins of one session at the same moment, while it goes on posting, on PostgreSQL: everything is somebody's, once."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from tests.app.processes import run_on
from tests.app.test_registry_concurrency import at_once

URL = "/api/recommendations/books/"
N_BOOKS, N_LOGINS = 12, 4


def api(signed, account=None):
    """Return a client that holds a session, and a login too."""
    from rest_framework.test import APIClient

    client = APIClient(headers={"X-Recommender-Session": signed})
    if account:
        client.force_authenticate(account)
    return client


def post(client, *events):
    status: int = client.post(f"{URL}events/", list(events), format="json").status_code
    return status


def event(book, event_id, name="click"):
    return {"event_id": event_id, "item": str(book.pk), "event": name}


def strangers_are_welcome():
    """Clicks of strangers are taken, and teach."""
    from django.conf import settings

    from recommender_app.usecases.site import get_use_case

    declared = type(get_use_case("books"))
    declared.allow_anonymous = declared.allow_anonymous_lists = True
    declared.weights = {**declared.weights, "click": 1.0}
    settings.RECOMMENDER["THROTTLE_RATES"] = {}
    settings.ALLOWED_HOSTS = ["*"]


def a_session(books):
    """Return a session that was shown lists, of the newest book, and has clicked each other one."""
    from recommender_app.measurement.anonymous import new_session

    number, signed = new_session()
    assert [api(signed).get(URL, {"limit": 1}).status_code for _ in range(3)] == [200] * 3
    assert post(api(signed), *[event(book, f"before-{n}") for n, book in enumerate(books[:-1])]) == 201
    return SimpleNamespace(number=number, signed=signed, told=[], is_over=threading.Event())


def goes_on(session, books):
    """Post one click after the other, until the logins are over."""
    from django.db import connections

    for n in range(40):
        if session.is_over.is_set():
            break
        session.told.append(post(api(session.signed), event(books[n % (N_BOOKS - 1)], f"meanwhile-{n}")))
    connections.close_all()


def everything_is_somebodys_once(names):
    """Whoever logs in, as the same or as another user, at the same moment."""
    from recommender_app.models import AnonymousEvent, FeedbackEvent, RequestLog
    from tests.app import library
    from tests.toyhost.models import Book, Reader, Reading

    for model in (Reading, FeedbackEvent, RequestLog):
        model.objects.all().delete()
    books = list(Book.objects.order_by("created_at")) or library.add_books(*[f"tea-{n}" for n in range(N_BOOKS)])
    readers = [Reader.objects.filter(name=name).first() or library.add_reader(name) for name in names]
    session = a_session(books)
    posting = threading.Thread(target=goes_on, args=(session, books))
    posting.start()
    clients = [api(session.signed, reader.account) for reader in readers]
    found = at_once(*[lambda c=c, n=n: post(c, event(books[0], f"own-{n}", "like")) for n, c in enumerate(clients)])
    session.is_over.set()
    posting.join(60)
    assert found == [201] * N_LOGINS, found
    assert set(session.told) <= {201}, session.told
    assert post(clients[0], event(books[0], "last", "like")) == 201  # and what came after the logins
    assert not AnonymousEvent.objects.filter(session=session.number).exists()
    assert not RequestLog.objects.filter(user_id__startswith="anonymous:").exists()
    n_clicks = N_BOOKS - 1 + len(session.told)
    assert FeedbackEvent.objects.filter(event="click").count() == n_clicks
    assert Reading.objects.filter(kind="click").count() == n_clicks


@pytest.mark.slow
@pytest.mark.services
def test_whoever_logs_in_with_one_session_at_the_same_moment(postgres_database):
    code = (
        "from pytest_django.fixtures import _disable_migrations\n"
        "_disable_migrations()\n"  # the toy host has none, and its tables name those that have
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('migrate', run_syncdb=True, verbosity=0)\n"
        "from tests.app import test_merging_at_once as tests\n"
        "tests.strangers_are_welcome()\n"
        "tests.everything_is_somebodys_once(['ann'] * tests.N_LOGINS)\n"
        "tests.everything_is_somebodys_once(['ann', 'bob'] * (tests.N_LOGINS // 2))\n"
    )
    run_on(postgres_database, code)
