"""What ``tests.benchmarks.snapshot`` runs beside its database; prints JSON: fill UNITS, look."""

# ruff: noqa: T201, E402  a benchmark prints what it measured; Django is set up before its models are imported

from __future__ import annotations

import django

django.setup()

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from recommender_app.experiments.hashing import arm_of, bucket
from recommender_app.measurement.readouts import snapshots
from recommender_app.models import Arm, Assignment, Experiment, Phase, RolledUpDay
from tests.benchmarks.site.processes import database_seconds, peak_bytes

DAYS = [date(2026, 3, 9) + timedelta(days=number) for number in range(3)]
SILENT = 5  # every fifth unit was assigned and never answered
GUARDRAILS = {"latency": 0.5, "fallback_rate": 0.5, "dislike_rate": 0.2, "diversity": 0.1}
CHUNK = 5_000
PARTS = ("mark_exposed", "count_moved", "gather", "results_of")
FILL = """
INSERT INTO recommender_app_requestlog (request_id, use_case, user_id, requested_limit, n_results, results, engine,
    model_version, fallback_reason, policy, interaction_count, latency_ms, engine_ms, diversity, created_at,
    experiment, phase, arm)
  SELECT md5(day || unit_id)::uuid, 'books', unit_id, 10, 10, '[]', 'als', 'als_v1', '', 'default', 12, 20,
    '{}', 0.6, day::timestamptz + interval '12 hours', 'e', 1, m.key
  FROM recommender_app_assignment a JOIN recommender_app_arm m ON m.id = a.arm_id
  CROSS JOIN generate_series(date '2026-03-09', '2026-03-11', interval '1 day') AS day WHERE a.id %% %(silent)s > 0;
INSERT INTO recommender_app_rollup (use_case, day, engine, model_version, experiment, phase, arm, user_id, requests,
    fallbacks, impressions, seen, clicks, conversions, likes, dislikes, ratings, ratings_sum, sessions,
    session_seconds, latency_ms_sum, latencies, diversity_sum, diversities, distinct_items)
  SELECT 'books', created_at::date, 'als', 'als_v1', 'e', 1, arm, user_id, 3, (n %% 20 = 0)::int, 30, 0, n %% 5,
    (n %% 7 = 0)::int, (n %% 3 = 0)::int, (n %% 11 = 0)::int, 0, 0, 1, 60, 60,
    jsonb_build_object((20 + n %% 15)::text, 2, '40', 1), 1.8, 3, 30
  FROM (SELECT *, id + hashtext(user_id) %% 97 + 97 AS n FROM recommender_app_requestlog) answers;
"""


def fill(units: int) -> dict[str, Any]:
    """Give so many units a row where their hash says, and three days of answers to most of them."""
    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)
    phase = _running()
    arms = list(phase.arms.order_by("pk"))
    for start in range(0, units, CHUNK):
        Assignment.objects.bulk_create(_row(phase, arms, f"u{n}") for n in range(start, min(start + CHUNK, units)))
    with connection.cursor() as cursor:
        cursor.execute(FILL % {"silent": SILENT})
        cursor.execute("VACUUM ANALYZE")
    for day in DAYS:
        RolledUpDay.objects.create(use_case="books", day=day, rolled_up_at=timezone.now())
    return {}


def _running() -> Phase:
    experiment = Experiment.objects.create(
        key="e", name="e", use_case="books", secondary_metrics=["conversion", "satisfaction"], guardrails=GUARDRAILS
    )
    phase = Phase.objects.create(experiment=experiment, number=1, enrol_salt="in", arm_salt="arm")
    for key in ("control", "a", "b", "c"):
        Arm.objects.create(phase=phase, key=key, is_control=key == "control", weight_bp=2_500)
    phase.enrol_bp, phase.started_at = 10_000, datetime(2026, 3, 9, tzinfo=UTC)
    phase.save()
    return phase


def _row(phase: Phase, arms: list[Arm], unit: str) -> Assignment:
    enrol, arm = (bucket(salt, "user", unit) for salt in (phase.enrol_salt, phase.arm_salt))
    return Assignment(
        phase=phase, unit_id=unit, arm=arm_of(arm, arms), enrol_bucket=enrol, arm_bucket=arm, enrol_bp=10_000,
        assigned_at=phase.started_at,
    )  # fmt: skip


def look() -> dict[str, Any]:
    """Take the snapshot of the first day, for which nobody is marked yet, and that of the last one."""
    phase, idle = Phase.objects.select_related("experiment").get(), peak_bytes()
    parts: dict[str, list[float]] = {}
    for name in PARTS:
        setattr(snapshots, name, _timed(getattr(snapshots, name), name, parts))
    looks = [_look(phase, day, parts) for day in (DAYS[0], DAYS[-1])]
    exposed = Assignment.objects.filter(first_exposed_at__isnull=False).count()
    return {"looks": looks, "exposed": exposed, "peak_above_idle_bytes": peak_bytes() - idle}


def _look(phase: Phase, day: date, parts: dict[str, list[float]]) -> dict[str, Any]:
    parts.clear()
    before = _clocks()
    snapshot = snapshots.take_snapshot(phase, day)
    seconds, python, database = (now - then for now, then in zip(_clocks(), before, strict=True))
    return {
        "seconds": seconds,
        "python_cpu_seconds": python,
        "database_cpu_seconds": database,
        "parts": dict(parts),
        "verdict": snapshot.verdict,
        "health": snapshot.health[0]["sentence"],
    }


def _clocks() -> tuple[float, float, float]:
    """Return the time, and the processor times of Python and of the database."""
    return time.perf_counter(), time.process_time(), database_seconds()


def _timed(work: Callable[..., Any], name: str, parts: dict[str, list[float]]) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        before = _clocks()
        try:
            return work(*args, **kwargs)
        finally:
            parts[name] = [now - then for now, then in zip(_clocks(), before, strict=True)]

    return timed


WORKS = {"fill": fill, "look": look}

if __name__ == "__main__":
    print(json.dumps(WORKS[sys.argv[1]](*map(int, sys.argv[2:]))))
