"""Rates with intervals in which users, not impressions, are independent: see ``experiments.statistics.delta``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

from recommender_app.experiments.statistics.delta import standard_error
from recommender_app.experiments.statistics.sums import Totals, totals_of

__all__ = ["Rate", "Totals", "rate_of", "standard_error", "totals_of"]

CONFIDENCE = 0.95


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
