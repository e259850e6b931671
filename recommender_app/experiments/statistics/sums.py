"""What every statistic here is made of: sums over the users of an arm.

A user is a unit of the experiment. The squares must be taken of a user's totals over the whole
time, never of single days: a user's days are alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Totals:
    """What the rate y / x of a group of users is made of: sums over the users with x > 0.

    With x = 1 for each user the rate is the mean of y.

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

    def __add__(self, other: Totals) -> Totals:
        """Return the totals of two groups that share no user."""
        return Totals(
            self.n + other.n,
            self.y + other.y,
            self.x + other.x,
            self.yy + other.yy,
            self.xx + other.xx,
            self.xy + other.xy,
        )


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


def from_arrays(y: ArrayLike, x: ArrayLike | None = None) -> Totals:
    """Return the totals of (n_users,) y and x; without x the rate is the mean of y."""
    ys = np.asarray(y, dtype=np.float64)
    xs = np.ones_like(ys) if x is None else np.asarray(x, dtype=np.float64)
    counts = xs > 0
    ys, xs = ys[counts], xs[counts]
    return Totals(len(ys), float(ys.sum()), float(xs.sum()), float(ys @ ys), float(xs @ xs), float(xs @ ys))
