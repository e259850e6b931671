"""Queries that are compiled once: the same rows, for every user, manager and connection."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, models
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recommender_app import Interactions
from recommender_app.usecases import prepared
from recommender_app.usecases.history import load_history
from tests.toyhost.models import Book, Reader, Reading
from tests.toyhost.recommendations import BooksForReaders

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def use_case(**attributes):
    return type("Changed", (BooksForReaders,), attributes)()


@pytest.fixture
def compiled(monkeypatch):
    """Names of the queries that were compiled."""
    vars(connections["default"]).pop(prepared._ATTRIBUTE, None)  # tests before may have asked the same
    names = []
    compile_query = prepared._compiled
    monkeypatch.setattr(prepared, "_compiled", lambda *args: names.append(args[2]) or compile_query(*args))
    return names


def liked(n, **at):
    reader = Reader.objects.create(name="r")
    books = [Book.objects.create(title=str(n)) for n in range(n)]
    for place, book in enumerate(books):
        Reading.objects.create(reader=reader, book=book, kind="like", at=NOW - timedelta(days=place))
    return reader, [book.pk for book in books]


def test_each_user_gets_their_own_rows_from_one_compilation(compiled):
    people, declared = [liked(n) for n in (1, 2, 0)], use_case()
    for _ in range(2):
        for reader, books in people:
            assert sorted(load_history(declared, reader, 10).item_ids) == sorted(books)
    assert len(compiled) == 1


def test_another_limit_or_other_events_are_another_query(compiled):
    reader, books = liked(3)
    declared = use_case()
    assert load_history(declared, reader, 2).item_ids == books[:2]
    assert load_history(declared, reader, 3).item_ids == books
    declared.weights = {"view": 1.0}
    assert load_history(declared, reader, 3).item_ids == []
    assert len(compiled) == 3


def test_several_sources_are_one_prepared_query():
    reader, books = liked(2)
    source = BooksForReaders.interactions
    declared = use_case(interactions=[source, Interactions(Reading, "reader", "book", models.Value("view"), "at")])
    load_history(declared, reader, 10)
    with CaptureQueriesContext(connection) as queries:
        history = load_history(declared, reader, 10)
    assert (len(queries), history.item_ids, history.interaction_count) == (1, books, 4)


def test_events_that_nothing_can_match_are_no_query(compiled):
    reader, _ = liked(1)
    with CaptureQueriesContext(connection) as queries:
        assert load_history(use_case(weights={}), reader, 10).item_ids == []
    assert len(queries) == 0


def test_a_manager_that_looks_around_is_asked_every_time(monkeypatch, compiled):
    reader, _ = liked(1)
    tenant = {"books": 0}

    class OfTheTenant(models.Manager):
        def get_queryset(self):
            return super().get_queryset().filter(pk__lt=tenant["books"])

    manager = OfTheTenant()
    manager.model = Reading
    monkeypatch.setattr(Reading._meta, "default_manager", manager, raising=False)
    declared = use_case()
    assert load_history(declared, reader, 10).item_ids == []
    tenant["books"] = 10**6
    assert len(load_history(declared, reader, 10).item_ids) == 1
    assert compiled == []


def test_methods_of_a_hosts_queryset_are_no_reason_to_compile_again_but_another_filter_is():
    class Friendly(models.QuerySet):
        def finished(self):
            return self.filter(kind="finish")

    class Soft(models.QuerySet):
        def filter(self, *args, **kwargs):
            return super().filter(*args, **kwargs).exclude(kind="gone")

    assert prepared._is_plain(models.Manager())
    assert prepared._is_plain(models.Manager.from_queryset(Friendly)())
    assert not prepared._is_plain(models.Manager.from_queryset(Soft)())


def test_a_mixin_that_filters_is_another_filter_too():
    class OfTheTenant:
        def filter(self, *args, **kwargs):
            return super().filter(*args, **kwargs).exclude(kind="gone")

    class Mixed(OfTheTenant, models.QuerySet):
        pass

    assert not prepared._is_plain(models.Manager.from_queryset(Mixed)())


def test_a_manager_that_changes_another_method_is_asked_every_time():
    class Ordered(models.Manager):
        def order_by(self, *names):
            return super().order_by(*names).filter(kind="finish")

    assert not prepared._is_plain(Ordered())


def test_a_queryset_that_looks_around_when_it_is_made_is_asked_every_time(monkeypatch, compiled):
    reader, books = liked(1)
    tenant = {"below": 10**9}

    class OfTheTenant(models.QuerySet):
        def __init__(self, model=None, query=None, **kwargs):
            super().__init__(model, query, **kwargs)
            if query is None and model is not None:
                self.query.add_q(models.Q(pk__lt=tenant["below"]))

    manager = models.Manager.from_queryset(OfTheTenant)()
    manager.model = Reading
    monkeypatch.setattr(Reading._meta, "default_manager", manager, raising=False)
    declared = use_case()
    assert load_history(declared, reader, 10).item_ids == books
    tenant["below"] = 0
    assert load_history(declared, reader, 10).item_ids == []
    assert compiled == []


@pytest.mark.django_db(transaction=True)
def test_every_thread_compiles_for_its_own_connection(compiled):
    reader, books = liked(1)
    declared, found = use_case(), []

    def ask():
        found.append(load_history(declared, reader, 10).item_ids)
        connection.close()

    for _ in range(2):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert found == [books, books]
    assert len(compiled) == 2


def test_what_a_date_part_means_is_not_kept_for_another_time_zone():
    early = models.Case(models.When(at__hour__lt=12, then=models.Value("dislike")), default=models.Value("like"))
    declared = use_case(interactions=Interactions(Reading, "reader", "book", early, "at"))
    reader, book = Reader.objects.create(name="r"), Book.objects.create(title="b")
    Reading.objects.create(reader=reader, book=book, kind="x", at=datetime(2026, 1, 1, 9, tzinfo=UTC))
    with timezone.override("UTC"):
        assert load_history(declared, reader, 10).weights[0] < 0
    with timezone.override("Asia/Tokyo"):
        assert load_history(declared, reader, 10).weights[0] > 0


def test_sources_that_are_new_for_every_request_do_not_fill_the_memory():
    reader, books = liked(1)

    def source():
        return Interactions(Reading, "reader", "book", "kind", "at")

    for _ in range(200):
        assert load_history(use_case(interactions=source()), reader, 10).item_ids == books
    assert len(vars(connections["default"])[prepared._ATTRIBUTE]) <= prepared._MOST
