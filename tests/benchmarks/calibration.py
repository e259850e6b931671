"""Simulated experiments on the pure statistics: python -m tests.benchmarks.calibration --runs 2000.

Prints each figure with its bounds; exit code 1 if one is not kept. From 2,000 runs on the bounds are
those of the requirements; with fewer they are widened by what luck does, see ``calibrating.figure``.
"""

# ruff: noqa: T201  a benchmark prints what it measured

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.calibrating.discoveries import planned_effect, power
from tests.benchmarks.calibrating.figure import Figure
from tests.benchmarks.calibrating.looks import daily_looks, one_look, several_treatments
from tests.benchmarks.calibrating.mismatches import mismatches
from tests.benchmarks.calibrating.rollouts import guardrails, ramps
from tests.benchmarks.calibrating.variances import variances

SIMULATIONS: tuple[Callable[[int], list[Figure]], ...] = (
    one_look,
    daily_looks,
    variances,
    mismatches,
    several_treatments,
    power,
    planned_effect,
    guardrails,
    ramps,
)


def main() -> int:
    """Simulate, print; 1 if a bound is not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--only", choices=[simulate.__name__ for simulate in SIMULATIONS])
    options = parser.parse_args()
    began, figures = time.process_time(), []
    for simulate in SIMULATIONS:
        if options.only in (None, simulate.__name__):
            for figure in simulate(options.runs):
                print(figure, flush=True)
                figures.append(figure)
    print(f"{len(figures)} figures in {time.process_time() - began:.0f} s of CPU")
    Path("bench").mkdir(exist_ok=True)
    written = {"runs": options.runs, "figures": [asdict(figure) for figure in figures]}
    Path("bench/calibration.json").write_text(json.dumps(written) + "\n")
    return int(not all(figure.is_kept for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
