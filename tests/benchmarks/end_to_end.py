"""A whole request, gunicorn and PostgreSQL included, against a plain view: python -m tests.benchmarks.end_to_end.

100,000 books x 128 factors; every request authenticates by token, reads the history, asks the
routed engine, checks eligibility in the database, and commits its row of the request log. The
plain view has the same login, one SELECT of ten rows and one INSERT with commit.
"""

# ruff: noqa: T201  a benchmark prints what it measured

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.rounds import Measurement, Rounds, interleave, report
from tests.benchmarks.site.figures import N_BOOKS, N_VISITORS, VISITORS
from tests.benchmarks.site.server import Client, Site, gunicorn, loaded_site

LIMITS = {"warm": 3.0, "cold": 4.0, "hot": 6.0}
ROUTED = {"warm": "als", "cold": "content_based", "hot": "ensemble"}
REQUESTS = 60  # per round and kind
PLAN_MS = 500.0  # the plan's own bound on p95
PATH = "/api/recommendations/books/"


class Visits:
    """Requests of one kind of visitor; remembers every latency."""

    def __init__(self, client: Client, path: str, kind: str) -> None:
        self.client, self.path, self.kind = client, path, kind
        self.seconds: list[float] = []
        self.engines: set[str] = set()

    def measure(self) -> float:
        """Return the median seconds of one request."""
        spent = [self._visit(number % N_VISITORS) for number in range(REQUESTS)]
        self.seconds += spent
        return float(np.median(spent))

    def _visit(self, number: int) -> float:
        start = time.perf_counter()
        answer = self.client.get(self.path, f"{self.kind}{number}")
        spent = time.perf_counter() - start
        self.engines.add(answer.get("engine", "plain"))
        return spent


def main() -> int:
    """Print the ratios, the tail latencies and the first request of a fresh worker; 1 if a claim fails."""
    with loaded_site() as site:
        first = {kind: first_request_ms(site, kind) for kind in VISITORS}
        with gunicorn(site) as port:
            visits = {kind: Visits(Client(port), PATH, kind) for kind in VISITORS}
            visits["plain"] = Visits(Client(port), "/plain/", "warm")
            works: dict[str, Measurement] = {name: each.measure for name, each in visits.items()}
            rounds = interleave(works)
    return _report(rounds, visits, first)


def first_request_ms(site: Site, kind: str) -> float:
    """Return the milliseconds of the first recommendation of a fresh worker."""
    with gunicorn(site) as port:
        client = Client(port)
        start = time.perf_counter()
        client.get(PATH, f"{kind}0")
        return (time.perf_counter() - start) * 1000


def _report(rounds: Rounds, visits: dict[str, Visits], first: dict[str, float]) -> int:
    tails: dict[str, Any] = {}
    for name, each in visits.items():
        p95, p99 = np.percentile(np.array(each.seconds) * 1000, [95, 99])
        engines = sorted(each.engines)
        tails[name] = {"p95_ms": round(p95, 2), "p99_ms": round(p99, 2), "engines": engines}
        print(f"{name:6} median {rounds.median_ms(name):7.2f} ms  p95 {p95:7.2f}  p99 {p99:7.2f}  {engines}")
    print("first request of a fresh worker: " + ", ".join(f"{kind} {ms:.0f} ms" for kind, ms in first.items()))
    claims = [rounds.claim(f"{kind} against a plain view", kind, "plain", LIMITS[kind]) for kind in LIMITS]
    is_quick = all(tails[kind]["p95_ms"] < PLAN_MS and first[kind] < PLAN_MS for kind in VISITORS)
    is_routed = all(tails[kind]["engines"] == [ROUTED[kind]] for kind in VISITORS)
    print(f"p95 and first request below {PLAN_MS:.0f} ms: {'PASS' if is_quick else 'FAIL'}")
    print(f"each kind served by its own engine {ROUTED}: {'PASS' if is_routed else 'FAIL'}")
    failed = report(
        "end to end", claims, Path("bench/end_to_end.json"), n_books=N_BOOKS, tails=tails, first_request_ms=first
    )
    return failed or int(not (is_quick and is_routed))


if __name__ == "__main__":
    sys.exit(main())
