"""Users of a site as they are: a few come again and again, and everybody clicks more or less readily."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender_app.experiments.statistics.sums import Totals, from_arrays

Counts = NDArray[np.int64]
CTR = 0.063
DAYS = 28


def generator(*seed: int) -> np.random.Generator:
    """Return the generator of a run; the seeds are fixed, so that a figure is the same every time."""
    return np.random.default_rng(seed)


def visitors(random: np.random.Generator, n: int, lift: float = 0.0, ctr: float = CTR) -> tuple[Counts, Counts]:
    """Return (clicks, impressions) of n users: 21 impressions in the mean, hundreds for some.

    Args:
        lift: relative effect on the readiness to click.
    """
    impressions = 1 + random.lognormal(2.5, 1.0, n).astype(np.int64)
    return random.binomial(impressions, _readiness(random, n, ctr) * (1 + lift)), impressions


def arm(random: np.random.Generator, n: int, lift: float = 0.0, ctr: float = CTR) -> Totals:
    """Return the totals of n ``visitors``."""
    return from_arrays(*visitors(random, n, lift, ctr))


def days_of_arm(random: np.random.Generator, n: int, *, is_arriving: bool = True, lift: float = 0.0) -> list[Totals]:
    """Return the totals at the end of each of 28 days, of users who come again.

    Args:
        is_arriving: users come for the first time all through the 28 days; else all on the first.
    """
    first = random.integers(0, DAYS, n) if is_arriving else np.zeros(n, dtype=np.int64)
    per_day = random.lognormal(-0.8, 1.0, n)  # 0.74 impressions a day in the mean
    day = np.arange(DAYS)[:, np.newaxis]
    impressions = random.poisson(np.where(day >= first, per_day, 0.0)) + (day == first)
    clicks = random.binomial(impressions, _readiness(random, n, CTR) * (1 + lift))
    return [from_arrays(y, x) for y, x in zip(clicks.cumsum(axis=0), impressions.cumsum(axis=0), strict=True)]


def _readiness(random: np.random.Generator, n: int, ctr: float) -> NDArray[np.float64]:
    return random.beta(1.5, 1.5 / ctr - 1.5, n)
