"""The same events posted at the same moment, on real databases: a process of its own, as for releases."""

from __future__ import annotations

import threading
from collections import Counter

import pytest

from tests.app.processes import run_on
from tests.app.test_registry_concurrency import at_once

N_AT_ONCE = 50
URL = "/api/recommendations/books/events/"


def reader_and_books():
    from tests.app import library
    from tests.toyhost.models import Reader

    reader = Reader.objects.first() or library.add_reader()
    return reader, library.add_books("tea-1", "tea-2")


def post(reader, *events):
    """Post as a client of its own; return status and statuses."""
    from django.conf import settings
    from rest_framework.test import APIClient

    settings.RECOMMENDER["THROTTLE_RATES"] = {}
    client = APIClient()
    client.force_authenticate(reader.account)
    answer = client.post(URL, list(events), format="json")
    return answer.status_code, [result["status"] for result in answer.json().get("results", [])]


def event(book, event_id, name="like", **fields):
    return {"event_id": event_id, "item": str(book.pk), "event": name, **fields}


def shown(reader, books):
    """Return the request_id of an answer that showed the books in this order."""
    from uuid import uuid4

    from recommender_app.models import RequestLog

    row = RequestLog.objects.create(
        request_id=uuid4(),
        use_case="books",
        user_id=str(reader.pk),
        requested_limit=len(books),
        n_results=len(books),
        results=[{"item": str(book.pk), "rank": rank} for rank, book in enumerate(books, start=1)],
        engine="popular",
    )
    return str(row.request_id)


def row_54_duplicates_at_once_are_one_row():
    """One is recorded, all the others hear that it is there."""
    from recommender_app.models import FeedbackEvent
    from tests.toyhost.models import Reading

    reader, (book, _) = reader_and_books()
    found = at_once(*[lambda: post(reader, event(book, "same"))] * N_AT_ONCE)
    assert Counter(status for status, _ in found) == {201: 1, 200: N_AT_ONCE - 1}, found
    assert FeedbackEvent.objects.filter(event_id="same").count() == Reading.objects.filter(book=book).count() == 1


def clicks_at_once_on_a_shown_item_are_one():
    """Each has an id of its own; the item was shown once."""
    from recommender_app.models import FeedbackEvent

    reader, (book, _) = reader_and_books()
    request_id = shown(reader, [book])
    clicks = [event(book, f"click-{n}", "click", request_id=request_id) for n in range(N_AT_ONCE)]
    found = at_once(*[lambda click=click: post(reader, click) for click in clicks])
    assert Counter(status for status, _ in found) == {201: 1, 200: N_AT_ONCE - 1}, found
    assert FeedbackEvent.objects.filter(request_id=request_id).count() == 1


def lists_at_once_in_any_order_neither_wait_for_each_other_nor_count_twice():
    """Every event is recorded by exactly one of them."""
    from tests.toyhost.models import Reading

    reader, books = reader_and_books()
    events = [event(book, f"{book.title}-{n}") for book in books for n in range(20)]
    orders = [events if n % 2 else events[::-1] for n in range(8)]
    found = at_once(*[lambda order=order: post(reader, *order) for order in orders])
    assert Counter(status for _, statuses in found for status in statuses) == {"recorded": 40, "duplicate": 280}, found
    assert Reading.objects.filter(book__in=books).count() == 40


def clicks_in_opposite_orders_under_crossed_ids_wait_for_nobody_in_a_circle():
    """The ids of one client rise where those of the other fall; what was shown can be clicked once."""
    reader, books = reader_and_books()
    for _ in range(20):
        request_id = shown(reader, books)
        rising, falling = (
            [
                event(book, f"{name}-{request_id}", "click", request_id=request_id)
                for book, name in zip(books, names, strict=True)
            ]
            for names in ("ab", "dc")
        )
        found = at_once(*[lambda order=order: post(reader, *order) for order in (rising, falling[::-1])])
        assert sorted(found) == [(200, ["duplicate"] * 2), (201, ["recorded"] * 2)], found


def hosts_that_wait_for_each_other_in_a_circle_are_told_again():
    """Each record() takes the row of its own book, and then that of the other one's: a real deadlock."""
    from unittest.mock import patch

    from django.db import connection

    from recommender_app.usecases.site import get_use_case
    from tests.toyhost.models import Book, Reading

    reader, books = reader_and_books()
    both_hold, is_met = threading.Barrier(2), threading.Event()
    record = type(get_use_case("books")).record

    def record_and_count(self, user, item, name, at):
        Book.objects.filter(pk=item.pk).update(pages=1)
        if not is_met.is_set():
            both_hold.wait(20)
            is_met.set()
        Book.objects.filter(pk__in=[book.pk for book in books if book.pk != item.pk]).update(pages=2)
        return record(self, user, item, name, at)

    if connection.vendor != "postgresql":  # SQLite has one writer at a time: nobody holds what another wants
        return
    with patch.object(type(get_use_case("books")), "record", record_and_count):
        found = at_once(*[lambda book=book: post(reader, event(book, f"circle-{book.title}")) for book in books])
    assert found == [(201, ["recorded"])] * 2
    assert Reading.objects.filter(book__in=books).count() == 2


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def test_row_54_at_the_same_moment(database, request, tmp_path):
    url = f"sqlite:///{tmp_path / 'db'}"
    if database == "postgres":
        url = request.getfixturevalue("postgres_database")
    code = (
        "from pytest_django.fixtures import _disable_migrations\n"
        "_disable_migrations()\n"  # the toy host has none, and its tables name those that have
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('migrate', run_syncdb=True, verbosity=0)\n"
        "from tests.app import test_events_concurrency as tests\n"
        "tests.row_54_duplicates_at_once_are_one_row()\n"
        "tests.clicks_at_once_on_a_shown_item_are_one()\n"
        "tests.lists_at_once_in_any_order_neither_wait_for_each_other_nor_count_twice()\n"
        "tests.clicks_in_opposite_orders_under_crossed_ids_wait_for_nobody_in_a_circle()\n"
        "tests.hosts_that_wait_for_each_other_in_a_circle_are_told_again()\n"
    )
    run_on(url, code)
