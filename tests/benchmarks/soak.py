"""200 publishers and 50 trainings killed, then half an hour of load and faults: python -m tests.benchmarks.soak.

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
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg

from tests.benchmarks.site.server import Site, loaded_site
from tests.benchmarks.soaking.disturbing import Disturber, disturbances
from tests.benchmarks.soaking.load import Load, saturation
from tests.benchmarks.soaking.processes import running_gunicorn, running_redis
from tests.benchmarks.soaking.report import Figure, judged, tell
from tests.benchmarks.soaking.watching import Watch
from tests.faults.publishing.checking import check, check_slot, killed, killed_slots
from tests.services import running_postgres

KILL_SECONDS = 30  # at most, each
SATURATION_SECONDS, SHARE = (
    10,
    0.25,
)  # a quarter of what the machine can answer: the tail tells of faults, not of queues
WARM_UP_RATE = 20


def main() -> int:
    """Kill, soak, print; 1 if a limit is not kept."""
    options = _options()
    killed_ones = [*kill(options.kills), *kill_slots(options.kills // 4)]
    figures, failures = soak(options.minutes, options.rate, options.share)
    is_kept = tell([*killed_ones, *figures], failures)
    Path("bench").mkdir(exist_ok=True)
    written = {
        "minutes": options.minutes,
        "kills": options.kills,
        "figures": [asdict(figure) for figure in [*killed_ones, *figures]],
    }
    Path("bench/soak.json").write_text(json.dumps(written) + "\n")
    return int(not is_kept)


def kill(n: int) -> list[Figure]:
    """Kill n publishers on PostgreSQL and look at what each has left."""
    if not n:
        return [Figure("publishers killed", 0)]
    began = time.monotonic()
    with running_postgres() as database, tempfile.TemporaryDirectory(prefix="soak-") as folder:
        reports = killed(Path(folder), database, "random", n, timeout=60 + KILL_SECONDS * n)
    failures = [str(failure) for failure in (_failure(check, report) for report in reports) if failure]
    n_repaired = sum(bool(report["repairs"]) for report in reports)
    print(f"{len(reports)} publishers killed in {time.monotonic() - began:.0f} s", *failures[:3], sep="\n", flush=True)
    return [
        Figure("publishers killed", len(reports)),
        Figure("of them, left something to repair", n_repaired),
        Figure("of them, left anything inconsistent", len(failures), 0),
    ]


def kill_slots(n: int) -> list[Figure]:
    """Kill n trainings of a slot on PostgreSQL, half of them where two hosts train, and have others go on."""
    found, failures, began = 0, [], time.monotonic()
    for n_hosts, share in ((1, n - n // 2), (2, n // 2)):
        if not share:
            continue
        with running_postgres() as database, tempfile.TemporaryDirectory(prefix="soak-") as folder:
            reports = killed_slots(Path(folder), database, share, n_hosts, timeout=60 + KILL_SECONDS * share)
        found += len(reports)
        failures += [str(failure) for failure in (_failure(check_slot, report) for report in reports) if failure]
    print(f"{found} trainings killed in {time.monotonic() - began:.0f} s", *failures[:3], sep="\n", flush=True)
    return [
        Figure("trainings of a slot killed", found),
        Figure("of them, not gone on with or inconsistent", len(failures), 0),
    ]


def soak(minutes: float, rate: float | None, share: float) -> tuple[list[Figure], list[str]]:
    """Disturb the site under load for some minutes.

    Args:
        rate: requests per second; None = a share of what this machine can answer.
        share: of the saturation.
    """
    with loaded_site() as loaded, running_redis() as redis:
        extra = {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.soaking.settings", "CACHE_URL": redis.url}
        site = Site({**loaded.environment, **extra})
        with running_gunicorn(site) as gunicorn:
            _warm_up(gunicorn.port)
            most = saturation(gunicorn.port, SATURATION_SECONDS)
            rate = rate or max(1.0, share * most)
            print(f"saturation {most:.0f} requests/s; offering {rate:.1f}/s for {minutes:g} minutes", flush=True)
            disturber = Disturber(disturbances(site, gunicorn, redis, minutes))
            with Watch(gunicorn.workers()[0]) as watch, Load(gunicorn.port, rate) as load, disturber:
                time.sleep(60 * minutes)
            time.sleep(2)  # rows are written after the answer
        site.run("manage.py", "recommender_drain", "--skip-checks")
        logged = _logged(site)
    told = [Figure("requests per second at saturation", most), Figure("requests per second offered", rate)]
    return [*told, *judged(load, disturber, watch, logged, minutes)], disturber.failures


def _warm_up(port: int) -> None:
    with Load(port, WARM_UP_RATE) as load:
        until = time.monotonic() + 120
        while sum(answer.status == 200 for answer in load.answers) < 100 and time.monotonic() < until:
            time.sleep(0.5)


def _logged(site: Site) -> set[str]:
    with psycopg.connect(site.environment["BENCH_DATABASE"]) as connection:
        return {str(row[0]) for row in connection.execute("SELECT request_id FROM recommender_app_requestlog")}


def _failure(checked: Callable[[dict[str, Any]], None], report: dict[str, Any]) -> AssertionError | None:
    try:
        checked(report)
    except AssertionError as failure:
        return failure
    return None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--share", type=float, default=SHARE, help="Of the measured saturation, that is offered.")
    parser.add_argument("--rate", type=float, help="Requests per second, instead of a share of the saturation.")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
