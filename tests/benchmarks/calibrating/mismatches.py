"""Sample ratio mismatch: rarely seen where there is none, and seen where users are lost."""

from __future__ import annotations

import numpy as np

from recommender_app.experiments.statistics.srm import RED, SEQUENTIAL_RED, Mismatch, detectable_loss, mismatch
from tests.benchmarks.calibrating.figure import Figure, share
from tests.benchmarks.calibrating.populations import DAYS, generator

WEIGHTS = {"control": 2_500, "a": 2_500, "b": 2_500, "c": 2_500}
RUNS_PER_RUN = 10  # what is rarer needs more runs, and these are cheap
PER_DAY = 400
LOST, LOST_OF = 0.10, 11_000


def mismatches(runs: int) -> list[Figure]:
    """Let users come to four arms on 28 days; then lose a tenth of one arm's."""
    n_runs = RUNS_PER_RUN * runs
    single, daily, sequential, either = 0, 0, 0, 0
    for run in range(n_runs):
        looks = _looks(generator(6, run))
        single += _is_red(looks[-1])
        daily += any(_is_red(look) for look in looks)
        sequential += any(look.sequential_p < SEQUENTIAL_RED for look in looks)
        either += any(look.is_red for look in looks)
    return [
        share("SRM, no loss, chi-square p < 0.001: one look", single, n_runs, None, 0.002),
        share("SRM, no loss, chi-square p < 0.001: any of 28 daily looks", daily, n_runs, None, 0.015),
        share("SRM, no loss, sequential p < 0.01: any of 28 daily looks", sequential, n_runs, None, 0.01),
        share("SRM, no loss, either of the two: any of 28 daily looks", either, n_runs, None, 0.015),
        share(f"SRM, {LOST:.0%} of one of four arms lost, {LOST_OF} users: red", _losses(n_runs), n_runs, 0.80),
        Figure(
            f"SRM, loss that is said to be detectable with {LOST_OF} users in four arms",
            detectable_loss(LOST_OF, WEIGHTS) or 1.0,
            0.09,
            0.11,
        ),
    ]


def _looks(random: np.random.Generator) -> list[Mismatch]:
    arrived = random.multinomial(PER_DAY, [0.25] * 4, size=DAYS).cumsum(axis=0)
    return [mismatch(dict(zip(WEIGHTS, map(int, day), strict=True)), WEIGHTS) for day in arrived]


def _losses(runs: int) -> int:
    shares = np.array([1, 1, 1, 1 - LOST])
    counts = generator(7).multinomial(LOST_OF, shares / shares.sum(), size=runs)
    return sum(mismatch(dict(zip(WEIGHTS, map(int, row), strict=True)), WEIGHTS).is_red for row in counts)


def _is_red(look: Mismatch) -> bool:
    return look.p_value is not None and look.p_value < RED
