"""A day's look at an experiment of a hundred thousand units: python -m tests.benchmarks.snapshot [--units 100000].

PostgreSQL; four arms, three days of roll-ups, two secondary metrics and all guardrails. Every fifth
unit was assigned and never answered. The first look marks everybody else as exposed; the second is
that of every day after it.
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
MOST_SECONDS, MOST_BYTES = 30.0, 100_000_000


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
        _child(environment, "fill", options.units)
        looked = _child(environment, "look")
    claims = []
    for name, look in zip(("first look", "look of a later day"), looked["looks"], strict=True):
        whole = [look[key] for key in ("seconds", "python_cpu_seconds", "database_cpu_seconds")]
        print(f"\n{name}: {look['verdict']}. {look['health']}")
        for part, clocks in {**look["parts"], "whole": whole}.items():
            print("  {:<14}{:6.1f} s; of processors: Python {:5.1f} s, database {:5.1f} s".format(part, *clocks))
        claims.append(_claim(f"{name}, seconds", look["seconds"], MOST_SECONDS * options.units / 100_000))
    claims.append(_claim("memory above an idle process, bytes", looked["peak_above_idle_bytes"], MOST_BYTES))
    return report("snapshot", claims, options.output, units=options.units, looked=looked)


def _claim(name: str, measured: float, allowed: float) -> Claim:
    """Return a claim on a share of what is allowed."""
    share = measured / allowed
    return Claim(name, share, share, share, 1.0, measured, allowed)


def _child(environment: dict[str, str], *arguments: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.site.snapshotted", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=100_000)
    parser.add_argument("--output", type=Path, default=Path("bench/snapshot.json"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
