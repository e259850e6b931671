"""Retention of a large request log: python -m tests.benchmarks.log_retention [--rows 1000000].

Half of the rows are too old. Judged is the longest statement: each is a transaction of its own.
"""

# ruff: noqa: T201  a benchmark prints what it measured

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.rounds import Claim, report
from tests.services import running_postgres

MOST_SECONDS = 1.0
FILL = """
INSERT INTO recommender_app_requestlog (request_id, use_case, user_id, requested_limit, n_results, results, engine,
    model_version, fallback_reason, policy, interaction_count, created_at)
SELECT gen_random_uuid(), 'books', number %% 10000, 10, 10,
    (SELECT jsonb_agg(jsonb_build_object('item', rank, 'rank', rank, 'score', 0.5, 'source', 'als'))
     FROM generate_series(1, 10) rank),
    'als', 'als_v1', '', 'default', 12, now() - interval '180 days' * (1 - number / %s::float)
FROM generate_series(1, %s) number
"""


def main() -> int:
    """Print how long retention took and its longest statement; 1 if that is above a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    n_rows = parser.parse_args().rows
    with running_postgres(is_durable=True) as database, TemporaryDirectory(prefix="bench-") as folder:
        os.environ.update(BENCH_DATABASE=database, BENCH_ARTIFACTS=folder)
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.site.settings"
        _fill(n_rows)
        n_deleted, total, statements = _trimmed()
    longest = max(statements)
    print(f"{n_deleted:,} of {n_rows:,} rows deleted in {total:.1f} s, {len(statements)} statements")
    claim = Claim("longest statement / 1 s", longest, min(statements), longest, MOST_SECONDS, longest * 1000, 1000.0)
    return report("log retention", [claim], Path("bench/log_retention.json"), n_rows=n_rows, total_seconds=total)


def _fill(n_rows: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(FILL, [n_rows, n_rows])
        cursor.execute("ANALYZE recommender_app_requestlog")


def _trimmed() -> tuple[int, float, list[float]]:
    """Return the number of rows deleted, the seconds it took, and the seconds of each statement."""
    from django.db import connection

    from recommender_app.serving.log_retention import trim_log

    statements = []

    def timing(execute: Any, *arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            statements.append(time.perf_counter() - started)

    started = time.perf_counter()
    with connection.execute_wrapper(timing):
        n_deleted = trim_log(days=90)
    return n_deleted, time.perf_counter() - started, statements


if __name__ == "__main__":
    sys.exit(main())
