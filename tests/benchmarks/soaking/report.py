"""Judges a soak: each line a figure, its limit, and whether it is kept."""

# ruff: noqa: T201  a benchmark prints what it measured

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.benchmarks.soaking.disturbing import Disturber
from tests.benchmarks.soaking.load import Answer, Load
from tests.benchmarks.soaking.watching import Watch

P99_OUTSIDE_MS, P99_INSIDE_MS = 200, 500
UNSENT_PERCENT = 1.0
MEMORY_MB_PER_MINUTE = 1.0
MORE_FILES, MORE_MAPPINGS = 5, 40
JUDGED_MINUTES = 10  # a worker's memory is still warming up before
SERVER_ERROR, DOCUMENTED = 500, 503
MIN_SAMPLES = 6


@dataclass(frozen=True)
class Figure:
    """One figure; no limit = for information."""

    name: str
    value: float
    limit: float | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the figure is within its limit."""
        return self.limit is None or self.value <= self.limit

    def __str__(self) -> str:
        verdict = "" if self.limit is None else f"   at most {self.limit:g}: {'PASS' if self.is_kept else 'FAIL'}"
        return f"{self.name:<58}{self.value:>10.1f}{verdict}"


def judged(load: Load, disturber: Disturber, watch: Watch, logged: set[str], minutes: float) -> list[Figure]:
    """Return the figures of a soak."""
    answers = load.answers
    inside = [disturber.is_inside(answer.at, answer.at + answer.seconds) for answer in answers]
    calm = [answer for answer, is_in in zip(answers, inside, strict=True) if not is_in]
    disturbed = [answer for answer, is_in in zip(answers, inside, strict=True) if is_in]
    n_unlogged = _count(disturbed, lambda a: _is_unlogged(a, logged))
    return [
        Figure("requests", len(answers)),
        Figure("requests that were due and not sent, % (overload)", _unsent(load), UNSENT_PERCENT),
        Figure("requests outside fault windows", len(calm)),
        *(Figure(f"times: {name}", n) for name, n in sorted(Counter(what for *_, what in disturber.windows).items())),
        Figure("disturbances that could not be done", len(disturber.failures), 0),
        Figure("5xx other than 503", _count(answers, lambda a: a.status >= SERVER_ERROR and a.status != DOCUMENTED), 0),
        Figure("503 inside fault windows", _count(disturbed, lambda a: a.status == DOCUMENTED)),
        Figure("503 outside fault windows", _count(calm, lambda a: a.status == DOCUMENTED), 0),
        Figure("4xx", _count(answers, lambda a: 400 <= a.status < SERVER_ERROR), 0),
        Figure("broken connections inside fault windows", _count(disturbed, lambda a: a.status == 0)),
        Figure("broken connections outside fault windows", _count(calm, lambda a: a.status == 0), 0),
        Figure("empty lists outside fault windows", _count(calm, lambda a: a.is_empty), 0),
        Figure("answers outside fault windows without a log row", _count(calm, lambda a: _is_unlogged(a, logged)), 0),
        Figure("answers inside fault windows without a log row", n_unlogged, 0),
        *(Figure(f"p{part}, ms", _percentile(answers, part)) for part in (50, 95, 99)),
        Figure("p99 outside fault windows, ms", _percentile(calm, 99), P99_OUTSIDE_MS),
        Figure("p99 inside fault windows, ms", _percentile(disturbed, 99), P99_INSIDE_MS),
        *_held(watch, minutes),
    ]


def tell(figures: list[Figure], failures: list[str]) -> bool:
    """Print the figures; True if every limit is kept."""
    for figure in figures:
        print(figure)
    for failure in failures:
        print(failure)
    return all(figure.is_kept for figure in figures)


def _held(watch: Watch, minutes: float) -> list[Figure]:
    if len(watch.samples) < MIN_SAMPLES:
        return [Figure("looks at the oldest worker that are missing", MIN_SAMPLES - len(watch.samples), 0)]
    is_long = minutes >= JUDGED_MINUTES
    own = [sample.memory / 1e6 for sample in watch.samples]
    whole = Figure("own memory of the oldest worker, MB more from beginning to end", own[-1] - own[0])
    figures = {
        "own memory of the oldest worker, MB more per minute": (watch.memory_slope(), MEMORY_MB_PER_MINUTE),
        "open files of the oldest worker, more": (watch.growth("n_files"), MORE_FILES),
        "mappings of the oldest worker, more": (watch.growth("n_mappings"), MORE_MAPPINGS),
    }
    return [whole, *(Figure(name, value, limit if is_long else None) for name, (value, limit) in figures.items())]


def _count(answers: list[Answer], is_counted: Any) -> int:
    return sum(map(is_counted, answers))


def _is_unlogged(answer: Answer, logged: set[str]) -> bool:
    return bool(answer.request_id) and answer.request_id not in logged


def _unsent(load: Load) -> float:
    return max(0.0, 100 * (1 - len(load.answers) / load.n_due))


def _percentile(answers: list[Answer], part: int) -> float:
    return float(np.percentile([1000 * answer.seconds for answer in answers], part)) if answers else 0.0
