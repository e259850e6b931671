"""New items are read in small batches, every few seconds, whatever the database does meanwhile."""

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from recommender_app.serving import live
from recommender_app.serving.overlay import overlay_of
from recommender_app.serving.overlay_reading import BATCH, OverlayReader
from recommender_app.serving.policies import forced_policy
from recommender_app.serving.router import Policy
from recommender_app.serving.service import recommend
from recommender_app.usecases.site import get_use_case
from tests.app import colours, library
from tests.app.test_serving import queries_of
from tests.toyhost.models import Book

pytestmark = pytest.mark.django_db

CHAIN = ("content_based", "als", "two_tower", "ensemble")


@pytest.fixture(autouse=True)
def root(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "ARTIFACT_ROOT": str(tmp_path), "OVERLAY_SECONDS": 0}
    return tmp_path


@pytest.fixture
def books(root):
    found = colours.add_books()
    colours.publish(found, "content_based", "als", "two_tower", "ensemble")
    return found


def routed(engine, reader, limit=13):
    with forced_policy("books", Policy("one", ((0, engine),))):
        return recommend(reader, "books", limit)


def scores_of(answer):
    return {result.id: result.score for result in answer.results if result.source == answer.engine}


@pytest.mark.parametrize("engine", CHAIN)
def test_a_fresh_overlay_costs_no_query_and_a_refresh_two(books, settings, engine):
    reader = colours.add_reader(colours.RED, books)
    count = {}
    for seconds in (3600, 0):
        settings.RECOMMENDER = {**settings.RECOMMENDER, "OVERLAY_SECONDS": seconds, "RELOAD_SECONDS": 3600}
        routed(engine, reader, 5)  # loads the release
        count[seconds] = len(queries_of(lambda: routed(engine, reader, 5)))
    Book.objects.create(title="red", genre="red")
    refreshing = len(queries_of(lambda: routed(engine, reader, 5)))
    assert count[0] == count[3600] + 1  # which items changed
    assert refreshing == count[3600] + 2  # and what they say


def drained(release):
    """Return the overlay when nothing is left to read."""
    overlay = overlay_of(get_use_case("books"), release)
    while overlay.cover.reader.n_pending:
        overlay = overlay_of(get_use_case("books"), release)
    return overlay


def test_a_thousand_items_changed_at_one_instant_are_all_there(books):
    now = timezone.now()
    Book.objects.bulk_create([Book(title=f"red apple {number}", genre="red") for number in range(1000)])
    Book.objects.exclude(pk__in=[book.pk for book in books]).update(updated_at=now)
    laid = drained(live.current("books")).laid
    assert len(laid) == 1000
    late = Book.objects.create(title="blue apple late", genre="blue")
    Book.objects.filter(pk=late.pk).update(updated_at=now)  # the very same microsecond
    assert late.pk in drained(live.current("books")).laid.row_of


def test_more_than_the_bound_keeps_the_newest_and_says_so_once(books, settings, caplog):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "OVERLAY_MAX_ITEMS": 3}
    start = timezone.now()
    new = [Book.objects.create(title=f"red chair {number}", genre="red") for number in range(5)]
    for age, book in enumerate(reversed(new)):
        Book.objects.filter(pk=book.pk).update(updated_at=start - timedelta(seconds=age))
    laid = [drained(live.current("books")).laid for _ in range(3)][-1]
    assert set(laid.ids) == {book.pk for book in new[2:]}
    newest = Book.objects.create(title="red door", genre="red")
    assert set(drained(live.current("books")).laid.ids) == {newest.pk, *(book.pk for book in new[3:])}
    assert len([record for record in caplog.records if "only the newest" in record.getMessage()]) == 1


def test_two_processes_agree(books):
    reader = colours.add_reader(colours.RED, books)
    for number in range(BATCH + 10):
        Book.objects.create(title=f"red apple {number % 7}", genre="red")
    release = live.current("books")
    first = drained(release)
    other = OverlayReader(get_use_case("books"), first.cover.reader.encoders, colours.TRAINED_AT)
    other.current()
    while other.n_pending:
        other.current()
    assert set(other.laid.ids) == set(first.laid.ids)
    answers = {}
    for name, laid in (("first", first.laid), ("second", other.laid)):
        first.cover.reader.laid = laid
        answers[name] = sorted(scores_of(routed("als", reader, 5)).values())
    np.testing.assert_allclose(answers["first"], answers["second"], rtol=1e-4)


def test_an_item_stamped_before_a_slow_commit_is_found(books):
    drained(live.current("books"))
    Book.objects.create(title="blue door", genre="blue")
    drained(live.current("books"))
    slow = Book.objects.create(title="red door", genre="red")
    Book.objects.filter(pk=slow.pk).update(updated_at=timezone.now() - timedelta(minutes=4))
    assert slow.pk in drained(live.current("books")).laid.row_of


def test_a_stamp_in_the_future_hides_nothing_that_comes_after(books):
    ahead = Book.objects.create(title="red door", genre="red")
    Book.objects.filter(pk=ahead.pk).update(updated_at=timezone.now() + timedelta(days=365))
    drained(live.current("books"))
    new = Book.objects.create(title="red chair", genre="red")
    assert {ahead.pk, new.pk} <= drained(live.current("books")).laid.row_of.keys()


def test_without_the_database_the_overlay_stays_and_is_missed_once(books, caplog):
    new = Book.objects.create(title="red chair", genre="red")
    release = live.current("books")
    before = drained(release).laid
    with connection.execute_wrapper(library.refuse):
        for _ in range(3):
            assert overlay_of(get_use_case("books"), release).laid is before
    assert new.pk in before.row_of
    assert len([record for record in caplog.records if "cannot be read" in record.getMessage()]) == 1
    later = Book.objects.create(title="red flag", genre="red")
    assert later.pk in drained(release).laid.row_of


def test_one_item_that_cannot_be_read_stops_no_other(books, monkeypatch, caplog):
    from recommender_app.serving import overlay_reading

    def odd(fields, ids):
        if bad.pk in ids:
            raise ValueError("no features for you")
        return read(fields, ids)

    read = overlay_reading.load_features
    bad = Book.objects.create(title="red chair", genre="red")
    monkeypatch.setattr(overlay_reading, "load_features", odd)
    release = live.current("books")
    drained(release)
    good = Book.objects.create(title="red door", genre="red")
    assert set(drained(release).laid.ids) == {good.pk}
    assert "cannot be encoded" in caplog.text
