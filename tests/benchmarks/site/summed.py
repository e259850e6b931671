"""What ``tests.benchmarks.roll_up`` runs beside its database; prints JSON: fill ROWS, roll_up, page."""

# ruff: noqa: T201, E402  a benchmark prints what it measured; Django is set up before its models are imported

from __future__ import annotations

import django

django.setup()

import json
import os
import resource
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.authtoken.models import Token

from recommender_app.measurement.actions import active_users
from recommender_app.measurement.roll_up import roll_up_day
from recommender_app.models import RolledUpDay, RollUp
from recommender_app.usecases.site import get_use_case

DAY = date(2026, 3, 10)
ANSWERS_PER_USER, ITEMS, ACTIVE_SHARE = 10, 5_000, 0.1
FILL = """
SELECT setseed(0.5);
SET session_replication_role = replica;
INSERT INTO toyhost_book (id, title, blurb, genre, is_published, created_at, updated_at)
  SELECT md5(n::text)::uuid, '', '', '', true, '2026-01-01', '2026-01-01' FROM generate_series(1, %(items)s) n;
INSERT INTO toyhost_reader (id, name, bio) SELECT n, '', '' FROM generate_series(1, %(users)s) n;
INSERT INTO recommender_app_requestlog (request_id, use_case, user_id, requested_limit, n_results, results, engine,
    model_version, fallback_reason, policy, interaction_count, latency_ms, engine_ms, diversity, created_at)
  SELECT md5('r' || g)::uuid, 'books', (1 + person)::text, 10, 10, results,
    (ARRAY['als', 'ensemble', 'content_based'])[engine], (ARRAY['als_v1', 'ensemble_v1', 'content_based_v1'])[engine],
    CASE WHEN engine = 3 AND person %% 3 < 2 THEN 'deadline' ELSE '' END, 'default', 12, exp(2 + random()),
    '{"als": 2.5}', 0.6,
    timestamptz '2026-03-10 00:00+00' + g * (interval '86399 seconds' / %(rows)s)
  FROM (SELECT g, person, CASE WHEN random() < 0.1 THEN 3 ELSE 1 + person %% 3 END::int AS engine
        FROM (SELECT g, g * 48271 %% %(users)s AS person FROM generate_series(1::bigint, %(rows)s) g) people) answers
  CROSS JOIN LATERAL (  -- ten different items, the k-th from every tenth of the catalogue; log-uniform, as by Zipf
    SELECT jsonb_agg(jsonb_build_object(
      'item', md5((floor(exp(random() * ln(%(items)s / 10 + 1 + 0 * g))) * 10 - 10 + k)::int::text)::uuid::text,
      'rank', k, 'score', random(), 'source', 'als')) AS results FROM generate_series(1, 10) k) shown;
INSERT INTO recommender_app_feedbackevent
    (use_case, user_id, event_id, item_id, event, request_id, occurred_at, received_at, receipt)
  SELECT 'books', user_id, 'e' || id, results -> (id %% 10)::int ->> 'item',
    (ARRAY['click', 'click', 'like', 'dislike', 'finish'])[(1 + (id / 20 + id / %(users)s) %% 5)::int], request_id,
    created_at + interval '1 minute', created_at + interval '1 minute', md5('p' || id)::uuid
  FROM recommender_app_requestlog WHERE user_id::bigint %% %(every)s = 0 AND id / 10 %% 2 = 0;
INSERT INTO toyhost_reading (book_id, reader_id, kind, at)
  SELECT (results -> (id %% 10)::int ->> 'item')::uuid, user_id::bigint,
    (ARRAY['view', 'like', 'finish'])[(1 + (id / 20 + id / %(users)s) %% 3)::int], created_at + interval '2 hours'
  FROM recommender_app_requestlog WHERE user_id::bigint %% %(every)s = 0 AND id / 10 %% 2 = 1;
SET session_replication_role = DEFAULT;
"""


def fill(rows: int) -> dict[str, Any]:
    """Fill a day with so many answers, no two lists alike; of every tenth user, with an event for each answer."""
    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)
    numbers = {"rows": rows, "users": rows // ANSWERS_PER_USER, "items": ITEMS}
    numbers["every"] = round(1 / ACTIVE_SHARE)
    with connection.cursor() as cursor:
        cursor.execute(FILL % numbers)
        cursor.execute("VACUUM ANALYZE")
    staff = User.objects.create_user("staff", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_metrics"))
    Token.objects.create(user=staff)
    return {}


def roll_up() -> dict[str, Any]:
    """Roll the day up for the first time, then once more."""
    idle, seconds, cpu, of_database = _peak_bytes(), [], [], []
    for _ in range(2):
        started, cpu_before, database_before = time.perf_counter(), time.process_time(), _database_seconds()
        done = roll_up_day(get_use_case("books"), DAY)
        seconds.append(time.perf_counter() - started)
        cpu.append(time.process_time() - cpu_before)
        of_database.append(_database_seconds() - database_before)
    return {
        "seconds": seconds,
        "python_cpu_seconds": cpu,
        "database_cpu_seconds": of_database,  # both at the same time; the rest is disk, or others at the machine
        "active_users": len(active_users(get_use_case("books"), *_around(DAY))),
        "answers": done.requests,
        "rows": RollUp.objects.count(),
        "peak_above_idle_bytes": _peak_bytes() - idle,
    }


def page() -> dict[str, Any]:
    """Ask for the metrics by engine, as staff."""
    client = Client(headers={"Authorization": f"Token {Token.objects.get().key}", "Host": "localhost"})
    wanted = {"use_case": "books", "from": str(DAY), "to": str(DAY)}
    with CaptureQueriesContext(connection) as queries:
        started = time.perf_counter()
        told = client.get("/api/recommender/metrics/", wanted).json()
        seconds = time.perf_counter() - started
    days = RolledUpDay.objects.count()
    return {"seconds": seconds, "queries": len(queries), "days": days, "ctr": told["total"]["ctr"]}


def _around(day: date) -> tuple[datetime, datetime, datetime]:
    start = datetime.combine(day, datetime.min.time(), UTC)
    return start, start + timedelta(days=2), start + timedelta(days=8)


def _database_seconds() -> float:
    """Return the processor time of this connection's own server process; parallel workers are not in it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


WORKS = {"fill": fill, "roll_up": roll_up, "page": page}

if __name__ == "__main__":
    print(json.dumps(WORKS[sys.argv[1]](*map(int, sys.argv[2:]))))
