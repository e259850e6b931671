"""Rows that waited long in the spool: whom they name may be forgotten, and their day summed up."""

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from recommender_app.measurement.days import ONE_DAY, day_of
from recommender_app.measurement.schedule import due_days, needed_from
from recommender_app.models import RequestLog, RolledUpDay
from recommender_app.privacy.spool import count_spooled, empty_spool
from recommender_app.privacy.subject import Subject
from recommender_app.registry.tombstones import bury
from recommender_app.registry.trim_marks import LOG, note_trim
from recommender_app.serving.spool.draining import Drained, drain
from recommender_app.serving.spool.framing import framed
from recommender_app.serving.spool.writing import append
from recommender_app.usecases.site import get_use_case
from tests.toyhost.models import Book, Reader

pytestmark = pytest.mark.django_db
BOOKS = get_use_case("books")
NOW = datetime.now(UTC)
LATE = NOW - timedelta(days=40)


@pytest.fixture(autouse=True)
def spool(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "SPOOL_DIR": tmp_path / "spool"}
    return tmp_path / "spool"


def row(number, *items, **values):
    results = [{"item": item, "rank": rank} for rank, item in enumerate(items, start=1)]
    counts = {"requested_limit": 5, "n_results": len(items), "results": results}
    named = {"use_case": "books", "user_id": "7", "engine": "als"}
    return {"request_id": UUID(int=number), "created_at": NOW, **counts, **named, **values}


def rolled_up(moment):
    """Say that each day of the last 45 was rolled up at a moment."""
    days = [day_of(NOW) - number * ONE_DAY for number in range(45)]
    RolledUpDay.objects.bulk_create(RolledUpDay(use_case="books", day=day, rolled_up_at=moment) for day in days)


def test_an_item_that_was_forgotten_while_its_row_waited_is_blanked_and_its_place_stays():
    append(row(1, "5", "6"))
    append(row(2, "5", requested_limit=None))  # which the table refuses
    bury(Book, 5, by="test")
    assert drain() == Drained(n_files=1, n_added=1)
    assert RequestLog.objects.get().results == [{"item": "", "rank": 1}, {"item": "6", "rank": 2}]


def test_of_what_was_set_aside_every_line_goes_that_names_the_person(spool):
    spool.mkdir()
    path = spool / "host-1.rejected"
    others = framed(row(1, "6", user_id="8")) + framed(row(2, "7", use_case="other", user_id="8"))
    path.write_bytes(framed(row(3, "6")) + others + framed(row(4, "7", user_id="8")))
    os.utime(path, (1_000, 1_000))
    subject = Subject(Reader, 7, (BOOKS,), (BOOKS,))  # where readers are shown to readers
    assert count_spooled(subject) == 2
    assert count_spooled(Subject(Reader, 7, (BOOKS,), ())) == 1
    os.utime(path)
    before = path.stat().st_mtime_ns
    empty_spool(subject)
    assert path.read_bytes().split() == others.split()
    assert path.stat().st_mtime_ns == before


def test_days_that_late_rows_change_are_rolled_up_again_and_the_log_is_kept_for_it():
    rolled_up(NOW)
    append(row(1, "5", created_at=NOW - ONE_DAY))
    drain()
    assert due_days(BOOKS) == []
    append(row(2, "5", created_at=LATE))
    drain()
    late = day_of(LATE)
    assert due_days(BOOKS) == [late, late + ONE_DAY]  # those before it have no answer in the log
    assert day_of(needed_from([BOOKS])) == late - ONE_DAY


def test_a_day_before_whose_answers_are_still_in_the_log_may_lose_a_click_to_the_late_row():
    rolled_up(NOW)
    RequestLog.objects.create(**row(1, "5", created_at=LATE - 3 * ONE_DAY))
    append(row(2, "5", created_at=LATE))
    drain()
    late = day_of(LATE)  # the window is of one day, and a part of another
    assert due_days(BOOKS) == [late - 2 * ONE_DAY, late - ONE_DAY, late, late + ONE_DAY]


def test_a_trimmed_day_stays_as_it_is():
    rolled_up(NOW)
    note_trim(LOG, LATE + 5 * ONE_DAY)
    append(row(1, "5", created_at=LATE))
    drain()
    assert due_days(BOOKS) == []
    assert not RolledUpDay.objects.exclude(rolled_up_at=NOW).exists()
