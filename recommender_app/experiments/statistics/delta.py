"""The delta method: how sure a rate is of which users, not impressions, are independent.

One user's impressions are alike, so that a test per impression is far too sure of itself. With the
totals y and x of n users (clicks and impressions), the rate R = sum(y) / sum(x) has the variance
n / (n - 1) * sum((y - R x)**2) / sum(x)**2 (Deng, Knoblich and Lu, KDD 2018). With x = 1 that is
the variance of a mean.
"""

from __future__ import annotations

import math

from recommender_app.experiments.statistics.sums import Totals

ROUNDING = 1e-12  # below this share of their squares, users differ by rounding only


def standard_error(totals: Totals) -> float | None:
    """Return the standard error of y / x; None where the users do not tell: fewer than two, or all alike."""
    if totals.n < 2 or totals.x <= 0:
        return None
    rate = totals.y / totals.x
    squares = totals.yy - 2 * rate * totals.xy + rate**2 * totals.xx
    if squares <= ROUNDING * totals.yy:
        return None
    return math.sqrt(totals.n / (totals.n - 1) * squares) / totals.x
