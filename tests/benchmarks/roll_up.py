"""A day of a million answers, rolled up; the metrics page: python -m tests.benchmarks.roll_up [--rows 1000000].

PostgreSQL; a hundred thousand users, ten items an answer, popular ones more often and no two lists
alike. Every tenth user does something: a posted event or an interaction of the host for each answer.
Twice: into an empty day, and in place of what is there.
"""

# ruff: noqa: T201  a benchmark prints what it measured

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.rounds import Claim, report
from tests.services import running_postgres

ROOT = Path(__file__).resolve().parents[2]
MOST_SECONDS, MOST_QUERIES, MOST_BYTES = 30.0, 10, 250_000_000


def main() -> int:
    """Print the claims; 1 if one does not hold."""
    options = _options()
    with running_postgres() as database, TemporaryDirectory(prefix="bench-") as artifacts:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.site.settings",
            "BENCH_DATABASE": database,
            "BENCH_ARTIFACTS": artifacts,
        }
        _child(environment, "fill", options.rows)
        rolled_up = _child(environment, "roll_up")
        page = _child(environment, "page")
    allowed = MOST_SECONDS * options.rows / 1_000_000
    slower, peak = max(rolled_up["seconds"]), rolled_up["peak_above_idle_bytes"]
    print(f"\n{rolled_up['answers']:,} answers become {rolled_up['rows']:,} roll-ups; click-through {page['ctr']}")
    print(f"{rolled_up['active_users']:,} users did something; seconds: {_rounded(rolled_up['seconds'])}")
    python, database = _rounded(rolled_up["python_cpu_seconds"]), _rounded(rolled_up["database_cpu_seconds"])
    print(f"processor seconds of Python: {python}, of the database: {database}")
    claims = [
        _claim("roll-up of the day, seconds", slower, allowed),
        _claim("memory above an idle process, bytes", peak, MOST_BYTES),
        _claim("queries of the metrics page", page["queries"], MOST_QUERIES),
        _claim("metrics page, seconds", page["seconds"], None),
    ]
    return report("roll_up", claims, options.output, rows=options.rows, rolled_up=rolled_up, page=page)


def _rounded(seconds: list[float]) -> list[float]:
    return [round(each, 1) for each in seconds]


def _claim(name: str, measured: float, allowed: float | None) -> Claim:
    """Return a claim on a share of what is allowed; without a limit it is only printed."""
    share = measured / (allowed or 1)
    return Claim(name, share, share, share, None if allowed is None else 1.0, measured, allowed or 1)


def _child(environment: dict[str, str], *arguments: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.site.summed", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--output", type=Path, default=Path("bench/roll_up.json"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
