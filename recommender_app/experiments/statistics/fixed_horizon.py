"""The read-out at the planned sample: the narrowest interval, for one look only.

It is locked until every arm has its planned users. The first snapshot that finds it unlocked holds
the result; whoever looks again on later days and waits for a difference finds one by luck.
"""

from __future__ import annotations

from collections.abc import Iterable

from scipy.special import stdtr, stdtrit

from recommender_app.experiments.statistics.ratio import Difference
from recommender_app.experiments.statistics.read_out import ReadOut, read_out


def is_unlocked(users: Iterable[int], planned: int) -> bool:
    """Return whether every arm has its planned users.

    Args:
        users: of each arm, control among them.
        planned: users per arm; 0 = nothing was planned, so that there is no such moment.
    """
    return planned > 0 and all(n >= planned for n in users)


def fixed_read_out(difference: Difference, alpha: float = 0.05) -> ReadOut:
    """Return the read-out of a Welch test on the delta method's variances."""
    df, log_df = difference.df, difference.log_df
    widths = _width(df, alpha), _width(log_df or df, alpha)
    p_value = 2 * float(stdtr(df, -abs(difference.absolute) / difference.error))
    return read_out(difference, widths, p_value, alpha)


def _width(df: float, alpha: float) -> float:
    return float(stdtrit(df, 1 - alpha / 2))
