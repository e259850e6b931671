"""A whole export against a bare COPY of the same rows: python -m tests.benchmarks.export [--rows 5000000].

UUID users, integer items, four events, a half-life. Time: interleaved rounds in one process.
Memory: the peak of a fresh process above what it held when Django, numpy and pyarrow were loaded.
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
AT_MOST = 3.0  # times a client-side binary COPY
BYTES_PER_ROW, BYTES_BESIDE = 64, 300_000_000


def main() -> int:
    """Print both claims; 1 if one does not hold."""
    options = _options()
    with running_postgres() as database, TemporaryDirectory(prefix="bench-") as artifacts:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.benchmarks.site.settings",
            "BENCH_DATABASE": database,
            "BENCH_ARTIFACTS": artifacts,
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        _child(environment, "fill", options.rows)
        memory = _child(environment, "peak", options.rows)
        times = _child(environment, "time", options.rounds)
    allowed = options.rows * BYTES_PER_ROW + BYTES_BESIDE
    above = memory["peak_bytes"] - memory["idle_bytes"]
    print(f"\n{options.rows:,} interactions: idle {memory['idle_bytes'] / 1e6:.0f} MB, peak above it {above / 1e6:.0f}")
    print(f"MB, which is {above / options.rows:.1f} bytes per interaction; allowed {allowed / 1e6:.0f} MB")
    for step, seconds in memory["steps"].items():
        print(f"  {step:<14} after {seconds:6.2f} s")
    claims = [
        Claim(**times["claim"]),
        _space(above / allowed, above, allowed),
    ]
    return report("export", claims[:1], options.output, rows=options.rows, memory=memory, **times) | _judge(claims[1])


def _space(ratio: float, above: float, allowed: float) -> Claim:
    return Claim("peak memory / allowed memory", ratio, ratio, ratio, 1.0, above, allowed)


def _judge(memory: Claim) -> int:
    print(f"{memory.name}: {memory.median:.3f}, at most 1: {'PASS' if memory.is_kept else 'FAIL'}")
    return int(not memory.is_kept)


def _child(environment: dict[str, str], *arguments: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.site.exported", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("bench/export.json"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
