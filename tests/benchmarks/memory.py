"""What four workers cost in memory above one: python -m tests.benchmarks.memory.

Proportional set size (PSS) of the mapped model files, after every worker has touched all their pages.
"""

# ruff: noqa: T201  a benchmark prints what it measured

from __future__ import annotations

import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.benchmarks.site.figures import N_BOOKS
from tests.benchmarks.site.server import Client, Site, gunicorn, loaded_site

WORKERS = 4
LIMIT = 1.3
MAX_ROUNDS = 400
MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ ")


def main() -> int:
    """Print both figures and their ratio; 1 if it is above the limit."""
    with loaded_site() as site:
        folder = site.environment["BENCH_ARTIFACTS"]
        one, four = (model_pss_mb(site, folder, workers) for workers in (1, WORKERS))
    ratio = four / one
    verdict = "PASS" if ratio <= LIMIT else "FAIL"
    print(f"PSS of model arrays: 1 worker {one:.1f} MB, {WORKERS} workers {four:.1f} MB together: {ratio:.3f}")
    print(f"at most {LIMIT}: {verdict}")
    output = Path("bench/memory.json")
    output.parent.mkdir(exist_ok=True)
    figures = {"n_books": N_BOOKS, "one_mb": one, "four_mb": four, "ratio": ratio, "passed": verdict == "PASS"}
    output.write_text(json.dumps(figures) + "\n")
    return int(verdict == "FAIL")


def model_pss_mb(site: Site, folder: str, workers: int) -> float:
    """Return the PSS of the mapped model files over all workers, each of which has touched all."""
    with gunicorn(site, workers) as port:
        pids: set[int] = set()
        parents: set[int] = set()  # a preloading parent shares the pages: its part of them is memory, too
        for _ in range(MAX_ROUNDS):
            with ThreadPoolExecutor(workers) as pool:
                answers = list(pool.map(lambda _: Client(port).get("/touch/", "warm0"), range(workers)))
            pids |= {answer["pid"] for answer in answers}
            parents |= {answer["parent"] for answer in answers}
            if len(pids) == workers:
                return sum(_pss_kb(pid, folder) for pid in pids | parents) / 1024
    raise RuntimeError(f"Only {len(pids)} of {workers} workers answered.")


def _pss_kb(pid: int, folder: str) -> int:
    """Sum the Pss lines of the mappings of files below a folder."""
    total, is_ours = 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if MAPPING.match(line):
            is_ours = folder in line
        elif is_ours and line.startswith("Pss:"):
            total += int(line.split()[1])
    return total


if __name__ == "__main__":
    sys.exit(main())
