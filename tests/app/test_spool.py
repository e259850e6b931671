"""The spool: bounded, private, safe for threads and forks, and emptied exactly once."""

import io
import os
import stat
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from recommender_app.models import RequestLog
from recommender_app.serving.spool import draining, files, writing
from recommender_app.serving.spool.draining import Drained, drain
from recommender_app.serving.spool.writing import append
from tests.app import library

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def spool(settings, tmp_path):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "SPOOL_DIR": tmp_path / "spool"}
    return tmp_path / "spool"


def row(number, **values):
    counts = {"requested_limit": 5, "n_results": 0, "results": []}
    named = {"use_case": "books", "user_id": "7", "engine": "als"}
    return {"request_id": UUID(int=number), "created_at": DAY, **counts, **named, **values}


def stored():
    return sorted(row.request_id.int for row in RequestLog.objects.all())


def test_rows_come_into_the_table_once_with_their_own_time(spool):
    for number in (1, 2):
        append(row(number))
    assert drain() == Drained(n_files=1, n_added=2)
    assert {row.created_at for row in RequestLog.objects.all()} == {DAY}
    assert list(spool.glob("*.spool")) == list(spool.glob("*.taken")) == []
    assert drain() == Drained()


def test_row_40_mangled_lines_are_set_aside_and_the_rest_replayed_and_again_nothing_is_added(spool, caplog):
    for number in (1, 2, 3):
        append(row(number))
    path = next(spool.glob("*.spool"))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"user_id":"7"', b'"user_id":"8"', 1) + b"\x00\xff garbage\n" + whole[:50])
    assert drain() == Drained(n_files=1, n_added=2, n_rejected=3)
    assert stored() == [2, 3]
    (rejected,) = spool.glob("*.rejected")
    assert b"garbage" in rejected.read_bytes()
    assert caplog.text.count("3 lines of the spool") == 1
    path.write_bytes(whole)  # the same once more
    assert drain() == Drained(n_files=1, n_added=1, n_known=2)
    path.write_bytes(whole)
    assert drain() == Drained(n_files=1, n_known=3)
    assert stored() == [1, 2, 3]


def test_a_row_that_the_table_cannot_hold_is_set_aside_and_stops_no_other(spool):
    append(row(1))
    append(row(2, requested_limit=None))  # NOT NULL
    append(row(3, field_of_a_later_version=7))
    assert drain() == Drained(n_files=1, n_added=2, n_rejected=1)
    assert stored() == [1, 3]


def test_the_same_row_twice_in_a_file_is_one_row():
    append(row(1))
    append(row(1))
    assert drain().n_added == 1
    assert stored() == [1]


def test_while_the_table_refuses_everything_waits(spool):
    append(row(1))
    with connection.execute_wrapper(library.refuse):
        with pytest.raises(OperationalError):
            drain()
        with pytest.raises(CommandError, match="The database refuses"):
            call_command("recommender_drain", stdout=io.StringIO())
        append(row(2))  # meanwhile
    assert files.spool_state().n_files == 2
    assert drain().n_added == 2
    assert stored() == [1, 2]


def test_a_drain_that_was_killed_after_its_insert_is_finished_by_the_next(monkeypatch, spool):
    append(row(1))
    (spool / "x.spool").write_bytes(b"torn\n")

    unlink = Path.unlink

    def killed(path, **options):
        if path.suffix == files.TAKEN:
            raise KeyboardInterrupt
        unlink(path, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            drain()
    assert stored() == [1]
    assert drain() == Drained(n_files=2, n_known=1, n_rejected=1)
    assert stored() == [1]


def test_only_one_drain_works_on_a_folder():
    append(row(1))
    with draining._alone() as is_alone:
        assert is_alone
        assert drain() is None
    assert drain().n_added == 1


def test_files_belong_to_their_owner_only(spool):
    before = os.umask(0)
    try:
        append(row(1))
        next(spool.glob("*.spool")).open("ab").write(b"torn\n")
        assert stat.S_IMODE(spool.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in spool.iterdir()} == {0o600}
        drain()
        assert {stat.S_IMODE(path.stat().st_mode) for path in spool.iterdir()} == {0o600}
    finally:
        os.umask(before)


def test_a_link_in_the_place_of_the_file_is_not_followed(spool, tmp_path):
    spool.mkdir()
    files.path_of_this_process().symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        append(row(1))
    assert not (tmp_path / "elsewhere").exists()


def test_the_folder_never_holds_more_than_it_may(settings, spool, monkeypatch):
    monkeypatch.setattr(writing, "LOOK_SECONDS", 0.0)
    settings.RECOMMENDER = {**settings.RECOMMENDER, "SPOOL_MAX_MB": 0.001}
    n_refused = 0
    for number in range(1, 20):
        try:
            append(row(number))
        except OSError:
            n_refused += 1
    assert 0 < n_refused < 19
    assert 500 < files.used_bytes() <= 1000
    drain()
    append(row(200))  # there is room again
    assert drain().n_added == 1


@pytest.mark.parametrize("fsync", [True, False])
def test_a_row_may_be_flushed_to_the_disk_at_once(settings, fsync, monkeypatch):
    settings.RECOMMENDER = {**settings.RECOMMENDER, "SPOOL_FSYNC": fsync}
    flushed, fsync_of_the_system = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (flushed.append(number), fsync_of_the_system(number)))
    append(row(1))
    assert bool(flushed) is fsync
    assert drain().n_added == 1


def test_threads_and_drains_at_the_same_time_lose_nothing_and_double_nothing():
    def write(first):
        for number in range(first, first + 50):
            append(row(number))

    threads = [threading.Thread(target=write, args=(1000 * number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    n_added = 0
    while any(thread.is_alive() for thread in threads):
        n_added += drain().n_added
    n_added += drain().n_added
    assert n_added == 200
    assert stored() == [1000 * thread + number for thread in range(1, 5) for number in range(50)]


def test_a_forked_process_writes_a_file_of_its_own(spool):
    append(row(1))
    child = os.fork()
    if child == 0:
        try:
            append(row(2))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    append(row(3))
    assert len(list(spool.glob("*.spool"))) == 2
    drain()
    assert stored() == [1, 2, 3]


def test_lines_that_were_set_aside_are_deleted_in_the_end(spool):
    append(row(1))
    old, new = spool / "old.rejected", spool / "new.rejected"
    for path in (old, new):
        path.touch()
    os.utime(old, (time.time() - 31 * 86_400,) * 2)
    drain()
    assert list(spool.glob("*.rejected")) == [new]


def test_the_state_tells_how_much_waits_and_since_when(spool):
    assert files.spool_state().to_json() == {
        "folder": str(spool),
        "is_readable": True,
        "n_files": 0,
        "n_bytes": 0,
        "oldest_seconds": None,
        "n_rejected_files": 0,
    }
    append(row(1, created_at=datetime.now(UTC) - timedelta(hours=2)))
    append(row(2, created_at=datetime.now(UTC)))
    state = files.spool_state()
    assert (state.n_files, state.n_bytes) == (1, files.used_bytes())
    assert 7200 <= state.oldest_seconds < 7300


def test_the_command_says_what_it_did(spool):
    def told():
        out = io.StringIO()
        call_command("recommender_drain", stdout=out)
        return out.getvalue().strip()

    assert told() == "Nothing waits in the spool."
    append(row(1))
    content = next(spool.glob("*.spool")).read_bytes()
    assert told() == "1 rows are added to the request log."
    (spool / "again.spool").write_bytes(content + b"torn\n")
    assert told() == (
        "0 rows are added to the request log, 1 were there already, 1 lines are set aside: no row can be made of them."
    )
