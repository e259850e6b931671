"""Half of what the server can do, for a minute, while releases take turns: python -m tests.benchmarks.fixed_rate.

Any answer but 200, any lost row of the request log, and any logged answer whose version is not of
its release is an error; there must be none.
"""

# ruff: noqa: T201  a benchmark prints what it measured

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np

from tests.benchmarks.site.figures import N_BOOKS, N_VISITORS, VISITORS
from tests.benchmarks.site.server import Client, Site, gunicorn, loaded_site

PATH = "/api/recommendations/books/"
WORKERS = 2
CONNECTIONS = 4
SATURATION_SECONDS = 10
LOAD_SECONDS = 60
SWITCH_EVERY_SECONDS = 10
MIN_SWITCHES = 4


def main() -> int:
    """Print the rate, the tail latencies and the errors; 1 if there is one."""
    with loaded_site() as site, gunicorn(site, WORKERS) as port, ThreadPoolExecutor(1) as background:
        site.run("-m", "tests.benchmarks.site.promoting", "publish")
        warming = _hammer(port, SATURATION_SECONDS, pause=0.0)
        saturation = len(warming) / SATURATION_SECONDS
        rate = saturation / 2
        print(f"saturation {saturation:.0f} requests/s on {CONNECTIONS} connections; offering {rate:.0f}/s", flush=True)
        stop = threading.Event()
        switcher = background.submit(_switch_again_and_again, site, stop)
        outcomes = _hammer(port, LOAD_SECONDS, pause=CONNECTIONS / rate)
        stop.set()
        n_switched = switcher.result()
        audit = site.told("-m", "tests.benchmarks.site.auditing")
    n_lost = len(warming) + len(outcomes) - audit["n_rows"]
    figures = {"rate": rate, "saturation": saturation, "n_books": N_BOOKS, "n_switched": n_switched}
    return _report(outcomes, {**figures, "n_rows_lost": n_lost, "n_mixed": audit["n_mixed"]})


def _hammer(port: int, seconds: float, pause: float) -> list[tuple[str, float, str]]:
    """Request from every connection, one request per ``pause`` seconds each; (error, seconds, version) of every one."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        turns = [pool.submit(_visit, port, number, seconds, pause) for number in range(CONNECTIONS)]
        return [outcome for turn in turns for outcome in turn.result()]


def _visit(port: int, number: int, seconds: float, pause: float) -> list[tuple[str, float, str]]:
    client, outcomes = Client(port), []
    kinds = list(VISITORS)
    start = time.perf_counter()
    for turn in count():
        due = start + turn * pause
        if max(due, time.perf_counter()) - start > seconds:
            break
        time.sleep(max(0.0, due - time.perf_counter()))
        began = time.perf_counter()
        try:
            answer = client.get(PATH, f"{kinds[turn % 3]}{(turn * CONNECTIONS + number) % N_VISITORS}")
            error, version = "" if answer["results"] else "empty", answer["model_version"] or ""
        except (RuntimeError, OSError) as failure:
            error, version, client = str(failure)[:200], "", Client(port)
        outcomes.append((error, time.perf_counter() - (due if pause else began), version))
    return outcomes


def _switch_again_and_again(site: Site, stop: threading.Event) -> int:
    """Return how often the other release went live, with another version of every engine."""
    n_switched = 0
    while not stop.wait(SWITCH_EVERY_SECONDS):
        site.run("-m", "tests.benchmarks.site.promoting", "switch")
        n_switched += 1
    return n_switched


def _report(outcomes: list[tuple[str, float, str]], figures: dict[str, float]) -> int:
    errors = Counter(error for error, _, _ in outcomes if error)
    milliseconds = np.array([spent for _, spent, _ in outcomes]) * 1000
    p50, p95, p99 = np.percentile(milliseconds, [50, 95, 99])
    print(f"{len(outcomes)} requests in {LOAD_SECONDS} s: p50 {p50:.1f} ms, p95 {p95:.1f}, p99 {p99:.1f}")
    print(f"versions that answered: {dict(sorted(Counter(version for _, _, version in outcomes).items()))}")
    is_clean = (
        not errors and not figures["n_rows_lost"] and not figures["n_mixed"] and figures["n_switched"] >= MIN_SWITCHES
    )
    print(
        f"{figures['n_switched']} switches of the live release, errors {dict(errors.most_common(5))}, log rows lost "
        f"{figures['n_rows_lost']}, versions of another release {figures['n_mixed']}: {'PASS' if is_clean else 'FAIL'}"
    )
    latencies = {"n_requests": len(outcomes), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}
    Path("bench").mkdir(exist_ok=True)
    summary = {**figures, **latencies, "errors": dict(errors), "load_average": os.getloadavg()[0], "passed": is_clean}
    Path("bench/fixed_rate.json").write_text(json.dumps(summary) + "\n")
    return int(not is_clean)


if __name__ == "__main__":
    sys.exit(main())
