"""The read-out that may be looked at every day: an asymptotic confidence sequence.

An interval of a fixed horizon misses the truth in 5 % of looks, and so sooner or later. This one
misses it at any look at all in 5 % of experiments (Waudby-Smith and others, "Time-uniform central
limit theory and asymptotic confidence sequences"): after n users it is
sqrt(2 (n r + 1) / (n r) * log(sqrt(n r + 1) / alpha)) standard errors wide to each side. r (rho
squared) chooses where it is narrowest: at the planned users.
"""

from __future__ import annotations

import math

from recommender_app.experiments.statistics.ratio import Difference
from recommender_app.experiments.statistics.read_out import ReadOut, read_out

UNPLANNED = 5_000  # users of both arms, where nothing is planned


def always_valid_read_out(difference: Difference, planned: int, alpha: float = 0.05) -> ReadOut:
    """Return the read-out.

    Args:
        planned: users of both arms, as they were planned before the start; 0 = nothing was. It must
            not follow what has been seen.
    """
    width = half_width(difference.n, planned, alpha)
    p_value = always_valid_p(difference.absolute / difference.error, difference.n, planned, alpha)
    return read_out(difference, (width, width), p_value, alpha)


def half_width(n: float, planned: int, alpha: float) -> float:
    """Return half of the width in standard errors, after n users of both arms."""
    seen = n * rho_squared(planned, alpha)
    return math.sqrt(2 * (seen + 1) / seen * math.log(math.sqrt(seen + 1) / alpha))


def always_valid_p(z: float, n: float, planned: int, alpha: float) -> float:
    """Return the smallest level at which the sequence, tuned for ``alpha``, leaves out zero.

    Args:
        z: difference in standard errors.
        n: users of both arms.
    """
    seen = n * rho_squared(planned, alpha)
    return math.exp(min(0.0, 0.5 * math.log(seen + 1) - z**2 * seen / (2 * (seen + 1))))


def rho_squared(planned: int, alpha: float) -> float:
    """Return the r at which the sequence is narrowest after the planned users."""
    return (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / (planned or UNPLANNED)
