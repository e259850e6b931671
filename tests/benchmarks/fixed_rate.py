"""Half of what the server can do, for a minute, while releases are promoted: python -m tests.benchmarks.fixed_rate.

Any answer but 200, any lost row of the request log, and any answer whose version does not belong
to its release is an error; there must be none.
"""

# ruff: noqa: T201  a benchmark prints what it measured

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np

from tests.benchmarks.site.figures import N_VISITORS, VISITORS
from tests.benchmarks.site.server import Client, Site, gunicorn, loaded_site

PATH = "/api/recommendations/books/"
WORKERS = 2
CONNECTIONS = 4
SATURATION_SECONDS = 10
LOAD_SECONDS = 60
PROMOTE_EVERY_SECONDS = 10


def main() -> int:
    """Print the rate, the tail latencies and the errors; 1 if there is one."""
    with loaded_site() as site, gunicorn(site, WORKERS) as port:
        saturation = len(_hammer(port, SATURATION_SECONDS, pause=0.0)) / SATURATION_SECONDS
        rate = saturation / 2
        print(
            f"saturation {saturation:.0f} requests/s with {CONNECTIONS} connections; offering {rate:.0f}/s", flush=True
        )
        stop = threading.Event()
        promoter = threading.Thread(target=_promote_again_and_again, args=(site, stop))
        promoter.start()
        outcomes = _hammer(port, LOAD_SECONDS, pause=CONNECTIONS / rate)
        stop.set()
        promoter.join()
    return _report(outcomes, rate, saturation)


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


def _promote_again_and_again(site: Site, stop: threading.Event) -> None:
    while not stop.wait(PROMOTE_EVERY_SECONDS):
        subprocess.run([sys.executable, "-m", "tests.benchmarks.site.promoting"], env=site.environment, check=True)


def _report(outcomes: list[tuple[str, float, str]], rate: float, saturation: float) -> int:
    errors = Counter(error for error, _, _ in outcomes if error)
    milliseconds = np.array([spent for _, spent, _ in outcomes]) * 1000
    p50, p95, p99 = np.percentile(milliseconds, [50, 95, 99])
    versions = Counter(version for _, _, version in outcomes)
    print(f"{len(outcomes)} requests in {LOAD_SECONDS} s: p50 {p50:.1f} ms, p95 {p95:.1f}, p99 {p99:.1f}")
    print(f"versions that answered: {dict(sorted(versions.items()))}")
    print(f"errors: {sum(errors.values())} {dict(errors.most_common(5))}: {'FAIL' if errors else 'PASS'}")
    figures = {"rate": rate, "saturation": saturation, "n_requests": len(outcomes), "p95_ms": p95, "p99_ms": p99}
    Path("bench").mkdir(exist_ok=True)
    Path("bench/fixed_rate.json").write_text(json.dumps({**figures, "errors": dict(errors)}) + "\n")
    return int(bool(errors))


if __name__ == "__main__":
    sys.exit(main())
