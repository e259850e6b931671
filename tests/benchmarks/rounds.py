"""Interleaved rounds A/B/A/B: how benchmarks compare things on a machine that is never quite idle.

rounds = interleave({"ours": timed(our_work), "theirs": timed(their_work)})
claim = rounds.claim("exact at 100,000 items", "ours", "theirs", at_most=0.6)
sys.exit(report("scoring", [claim], Path("bench/scoring.json")))
"""

# ruff: noqa: T201  a benchmark prints what it measured

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

ROUNDS = 7

Measurement = Callable[[], float]  # runs the work once; returns seconds, of whatever a round is about


@dataclass(frozen=True)
class Claim:
    """A ratio of two works held to a limit.

    Attributes:
        name: what is claimed.
        median, lowest, highest: of the ratios within each round, which share the machine's mood.
        limit: the most that the median may be; None = printed, not judged.
        ours_ms, theirs_ms: medians over the rounds, milliseconds.
    """

    name: str
    median: float
    lowest: float
    highest: float
    limit: float | None
    ours_ms: float
    theirs_ms: float

    @property
    def is_kept(self) -> bool:
        """Say whether the median is within its limit."""
        return self.limit is None or self.median <= self.limit

    def to_json(self) -> dict[str, Any]:
        """Return the fields and the verdict."""
        return {**self.__dict__, "passed": self.is_kept}

    def __str__(self) -> str:
        verdict = "" if self.limit is None else f"  at most {self.limit:.3g}: {'PASS' if self.is_kept else 'FAIL'}"
        spread = f"{self.median:.3f} ({self.lowest:.3f} to {self.highest:.3f})"
        return f"{self.name:<44} {self.ours_ms:9.3f} ms / {self.theirs_ms:9.3f} ms = {spread}{verdict}"


@dataclass(frozen=True)
class Rounds:
    """What interleaved rounds have measured.

    Attributes:
        seconds: name of the work -> one figure per round.
        load_averages: the one-minute load average at the start of each round.
    """

    seconds: Mapping[str, Sequence[float]]
    load_averages: Sequence[float]

    def median_ms(self, name: str) -> float:
        """Return the median of a work's rounds, milliseconds."""
        return statistics.median(self.seconds[name]) * 1000

    def claim(self, name: str, ours: str, theirs: str, at_most: float | None = None) -> Claim:
        """Return the ratio of two works, taken within each round, held to ``at_most``."""
        ratios = [a / b for a, b in zip(self.seconds[ours], self.seconds[theirs], strict=True)]
        spread = statistics.median(ratios), min(ratios), max(ratios)
        return Claim(name, *spread, at_most, self.median_ms(ours), self.median_ms(theirs))


def interleave(works: Mapping[str, Measurement], rounds: int = ROUNDS) -> Rounds:
    """Measure every work once per round; each round begins with another one, so that none always goes first."""
    names = list(works)
    for name in names:
        works[name]()  # warm caches, lazy imports and first page faults are not what is compared
    seconds: dict[str, list[float]] = {name: [] for name in names}
    loads = []
    for number in range(rounds):
        loads.append(os.getloadavg()[0])
        first = number % len(names)
        for name in names[first:] + names[:first]:
            seconds[name].append(works[name]())
    return Rounds(seconds, loads)


def timed(work: Callable[[], object], repeats: int = 1) -> Measurement:
    """Return a measurement of a plain function: the median wall-clock seconds of ``repeats`` calls."""

    def measure() -> float:
        spent = []
        for _ in range(repeats):
            start = time.perf_counter()
            work()
            spent.append(time.perf_counter() - start)
        return statistics.median(spent)

    return measure


def each(work: Callable[[Any], object], arguments: Sequence[Any]) -> Measurement:
    """Return a measurement of the median wall-clock seconds of one call, over a call with each argument."""

    def measure() -> float:
        return statistics.median(timed(partial(work, argument))() for argument in arguments)

    return measure


def report(name: str, claims: Sequence[Claim], output: Path, **details: Any) -> int:
    """Print the claims and the load average, write them as JSON with the details; 1 if one does not hold."""
    load = os.getloadavg()
    print(f"\n{name}: median of the rounds' ratios (lowest to highest); load average {load[0]:.2f} on {os.cpu_count()}")
    for claim in claims:
        print(f"  {claim}")
    kept = all(claim.is_kept for claim in claims)
    output.parent.mkdir(parents=True, exist_ok=True)
    summary = {
        "benchmark": name,
        "load_average": load[0],
        "n_cores": os.cpu_count(),
        "claims": [claim.to_json() for claim in claims],
        **details,
        "passed": kept,
    }
    output.write_text(json.dumps(summary, indent=1) + "\n")
    print(f"{'PASS' if kept else 'FAIL'}: {output}")
    return 0 if kept else 1
