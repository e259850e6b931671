"""What ``tests.benchmarks.export`` runs beside its database; prints JSON: fill ROWS, peak ROWS, time ROUNDS."""

# ruff: noqa: T201, E402  a benchmark prints what it measured; Django is set up before its models are imported

from __future__ import annotations

import django

django.setup()

import json
import resource
import sys
import time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet
from django.core.management import call_command
from django.db import connection
from scipy import sparse  # noqa: F401

from recommender_app.training.export import export_dataset
from recommender_app.usecases.declaration import Interactions, UseCase
from tests.benchmarks.rounds import interleave, timed
from tests.toyhost.models import Book, Reader, Reading

INTERACTIONS_PER_USER, USERS_PER_ITEM = 50, 5
FILL = """
SELECT setseed(0.5);
SET session_replication_role = replica;  -- every key exists: ten million checks say nothing
DO $$ DECLARE name regclass; BEGIN  -- an export uses no index of this table, filling it would cost most of the time
  FOR name IN SELECT indexrelid FROM pg_index WHERE indrelid = 'toyhost_reading'::regclass AND NOT indisprimary
  LOOP EXECUTE 'DROP INDEX ' || name; END LOOP; END $$;
INSERT INTO toyhost_book (id, title, blurb, genre, is_published, created_at, updated_at)
  SELECT md5(n::text)::uuid, '', '', '', true, '2026-01-01', '2026-01-01' FROM generate_series(1, %(users)s) n;
INSERT INTO toyhost_reader (id, name, bio) SELECT n, '', '' FROM generate_series(1, %(items)s) n;
INSERT INTO toyhost_reading (book_id, reader_id, kind, at)
  SELECT md5((1 + floor(%(users)s * random()))::text)::uuid, 1 + floor(%(items)s * random() ^ 2),
         (ARRAY['view', 'view', 'view', 'like', 'finish', 'dislike'])[1 + floor(6 * random())],
         '2026-01-01'::timestamptz + random() * interval '200 days'
  FROM generate_series(1, %(rows)s);
"""
RAW = "COPY (SELECT book_id, reader_id, kind, at FROM toyhost_reading) TO STDOUT (FORMAT BINARY)"


class ReadersForBooks(UseCase):
    """The toy host turned round, for its UUIDs: every book is recommended readers."""

    key = "readers"
    users = Book
    items = Reader
    interactions = Interactions(Reading, user="book", item="reader", event="kind", at="at")
    weights = {"view": 0.5, "like": 2.0, "finish": 3.0, "dislike": -1.0}
    half_life_days = 60


def fill(rows: int) -> dict[str, Any]:
    """Fill an empty database."""
    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)  # the toy host has no migrations
    users = max(rows // INTERACTIONS_PER_USER, 2)
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"rows": rows, "users": users, "items": max(users // USERS_PER_ITEM, 2)})
        cursor.execute("VACUUM ANALYZE")
    return {"rows": rows}


def peak(rows: int) -> dict[str, Any]:
    """Return the memory of this process before and after its first export, and when each stage ended."""
    connection.ensure_connection()
    pa.chunked_array([pa.array(np.arange(9))]).dictionary_encode()
    idle, started, steps = _peak_bytes(), time.perf_counter(), {}

    def note(done: int, total: int, label: str) -> None:
        steps[label] = time.perf_counter() - started

    exported = export_dataset(ReadersForBooks(), progress=note)
    steps["files"] = time.perf_counter() - started
    counts = exported.manifest["counts"]
    if counts["interactions"] != rows:
        raise RuntimeError(f"{counts} are not {rows} interactions.")
    return {"idle_bytes": idle, "peak_bytes": _peak_bytes(), "steps": steps, "counts": counts}


def measure(rounds: int) -> dict[str, Any]:
    """Return the claim that a whole export costs a few bare COPYs, and the seconds of each round."""
    use_case = ReadersForBooks()
    works = {"export": timed(lambda: export_dataset(use_case)), "copy": timed(copy_raw)}
    measured = interleave(works, rounds)
    claim = measured.claim("whole export / bare binary COPY", "export", "copy", at_most=3.0)
    return {"claim": claim.__dict__, "seconds": measured.seconds, "load_averages": measured.load_averages}


def copy_raw() -> int:
    """Receive the same rows, nothing else; returns their bytes."""
    with connection.cursor() as cursor, cursor.copy(RAW) as copy:
        return sum(len(message) for message in copy)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    print(json.dumps({"fill": fill, "peak": peak, "time": measure}[sys.argv[1]](int(sys.argv[2]))))
