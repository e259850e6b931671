"""Who visits when: people differ in how often they come and how readily they click."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VISITS_PER_DAY = 0.15  # of the average person
SPREAD = 0.6  # of the logarithm, between people


@dataclass(frozen=True)
class Crowd:
    """n people.

    Attributes:
        visits: (n,) visits per day, expected.
        eagerness: (n,) factor of the probability to click.
    """

    visits: NDArray[np.float64]
    eagerness: NDArray[np.float64]


def draw_crowd(n: int, visits_per_day: float, rng: np.random.Generator) -> Crowd:
    """Return people whose visits and eagerness are log-normal, one on average for the latter."""
    eager = rng.lognormal(-(SPREAD**2) / 2, SPREAD, n)
    return Crowd(visits_per_day * rng.lognormal(-(SPREAD**2) / 2, SPREAD, n), np.minimum(eager, 4.0))


def visits_of_day(crowd: Crowd, rng: np.random.Generator) -> Iterator[tuple[float, int]]:
    """Yield (part of the day, place of the person) of each visit of one day, in order of time."""
    counts = rng.poisson(crowd.visits)
    people = np.repeat(np.arange(len(counts)), counts)
    moments = rng.random(len(people))
    for place in np.argsort(moments, kind="stable"):
        yield float(moments[place]), int(people[place])
