"""Rates with intervals in which users, not impressions, are independent: the delta method.

One user's impressions are alike, so that a test per impression is far too sure of itself. With the
totals y and x of n users (clicks and impressions), the rate R = sum(y) / sum(x) has the variance
n / (n - 1) * sum((y - R x)**2) / sum(x)**2 (Deng, Knoblich and Lu, KDD 2018). The squares must be
taken of totals over the whole time, never of single days.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Totals:
    """What the rate y / x of a group of users is made of: sums over the users with x > 0.

    Attributes:
        n: users.
        y, x: sums of their totals.
        yy, xx, xy: sums of the squares and products of their totals.
    """

    n: int = 0
    y: float = 0.0
    x: float = 0.0
    yy: float = 0.0
    xx: float = 0.0
    xy: float = 0.0


@dataclass(frozen=True)
class Rate:
    """A rate with its interval.

    Attributes:
        value: None where there is nothing to divide by.
        low, high: None where the users do not tell: fewer than two, or all of them alike.
        n_users: users that it is about.
    """

    value: float | None
    low: float | None
    high: float | None
    n_users: int


def totals_of(users: Iterable[tuple[float, float]]) -> Totals:
    """Return the totals of (y, x) of each user; those with x = 0 do not count."""
    pairs = [(y, x) for y, x in users if x > 0]
    return Totals(
        len(pairs),
        math.fsum(y for y, _ in pairs),
        math.fsum(x for _, x in pairs),
        math.fsum(y * y for y, _ in pairs),
        math.fsum(x * x for _, x in pairs),
        math.fsum(x * y for y, x in pairs),
    )


def standard_error(totals: Totals) -> float | None:
    """Return the standard error of y / x; None where the users do not tell."""
    if totals.n < 2 or totals.x <= 0:
        return None
    rate = totals.y / totals.x
    squares = totals.yy - 2 * rate * totals.xy + rate**2 * totals.xx
    if squares <= 1e-12 * totals.yy:  # all alike, but for rounding
        return None
    return math.sqrt(totals.n / (totals.n - 1) * squares) / totals.x


def rate_of(totals: Totals, *, most: float | None = 1.0, confidence: float = CONFIDENCE) -> Rate:
    """Return y / x with its interval, cut off at 0 and at ``most`` (None: not at all above)."""
    if totals.x <= 0:
        return Rate(None, None, None, totals.n)
    value, error = totals.y / totals.x, standard_error(totals)
    if error is None:
        return Rate(value, None, None, totals.n)
    half = _quantile(confidence) * error
    high = value + half if most is None else min(value + half, most)
    return Rate(value, max(value - half, 0.0), high, totals.n)


@lru_cache
def _quantile(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
