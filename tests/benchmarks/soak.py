"""200 publishers killed, then half an hour of load and faults: python -m tests.benchmarks.soak.

Exit code 1 if a killed publisher leaves anything inconsistent, any answer is an undocumented 5xx,
the tail is too slow, or a worker's memory, open files or mappings grow.
"""

# ruff: noqa: T201  a benchmark prints what it measured; the size is set before the site is imported

from __future__ import annotations

import os

os.environ.setdefault("BENCH_BOOKS", "2000")

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import psycopg

from tests.benchmarks.site.server import Site, loaded_site
from tests.benchmarks.soaking.disturbing import Disturber, disturbances
from tests.benchmarks.soaking.load import Load
from tests.benchmarks.soaking.processes import running_gunicorn, running_redis
from tests.benchmarks.soaking.report import Figure, judged, tell
from tests.benchmarks.soaking.watching import Watch
from tests.faults.publishing.checking import check, killed
from tests.services import running_postgres

KILL_SECONDS = 30  # at most, each


def main() -> int:
    """Kill, soak, print; 1 if a limit is not kept."""
    options = _options()
    are_consistent = kill(options.kills)
    figures, failures = soak(options.minutes, options.rate)
    is_kept = tell(figures, failures)
    Path("bench").mkdir(exist_ok=True)
    written = {"minutes": options.minutes, "kills": options.kills, "figures": [asdict(figure) for figure in figures]}
    Path("bench/soak.json").write_text(json.dumps(written) + "\n")
    return int(not (are_consistent and is_kept))


def kill(n: int) -> bool:
    """Kill n publishers on PostgreSQL; False if one leaves anything inconsistent."""
    if not n:
        return True
    began = time.monotonic()
    with running_postgres() as database, tempfile.TemporaryDirectory(prefix="soak-") as folder:
        reports = killed(Path(folder), database, "random", n, timeout=60 + KILL_SECONDS * n)
    failures = [str(failure) for failure in map(_failure, reports) if failure]
    n_repaired = sum(bool(report["repairs"]) for report in reports)
    print(f"{len(reports)} publishers killed in {time.monotonic() - began:.0f} s, {n_repaired} of them left repairs")
    print(f"{len(failures)} left anything inconsistent: {'FAIL' if failures else 'PASS'}", *failures[:3], sep="\n")
    return not failures


def soak(minutes: float, rate: float) -> tuple[list[Figure], list[str]]:
    """Disturb the site under load for some minutes."""
    with loaded_site() as loaded, running_redis() as redis:
        extra = {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.soaking.settings", "CACHE_URL": redis.url}
        site = Site({**loaded.environment, **extra})
        with running_gunicorn(site) as gunicorn:
            _warm_up(gunicorn.port, rate)
            disturber = Disturber(disturbances(site, gunicorn, redis, minutes))
            with Watch(gunicorn.workers()[0]) as watch, Load(gunicorn.port, rate) as load, disturber:
                time.sleep(60 * minutes)
            time.sleep(2)  # rows are written after the answer
        logged = _logged(site)
    return judged(load.answers, disturber, watch, logged, minutes), disturber.failures


def _warm_up(port: int, rate: float) -> None:
    with Load(port, rate) as load:
        until = time.monotonic() + 120
        while sum(answer.status == 200 for answer in load.answers) < 100 and time.monotonic() < until:
            time.sleep(0.5)


def _logged(site: Site) -> set[str]:
    with psycopg.connect(site.environment["BENCH_DATABASE"]) as connection:
        return {str(row[0]) for row in connection.execute("SELECT request_id FROM recommender_app_requestlog")}


def _failure(report: dict[str, object]) -> AssertionError | None:
    try:
        check(report)
    except AssertionError as failure:
        return failure
    return None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rate", type=float, default=20, help="Requests per second.")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
