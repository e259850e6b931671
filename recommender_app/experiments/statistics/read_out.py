"""What a read-out is, whichever method made it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from recommender_app.experiments.statistics.ratio import Difference


@dataclass(frozen=True)
class ReadOut:
    """A difference between treatment and control with its interval.

    Attributes:
        treatment, control: the rates.
        difference, low, high: treatment minus control.
        relative, relative_low, relative_high: 0.05 = 5 % more than control; None where a rate is
            too near to zero.
        p_value: of no difference. It belongs to the absolute difference, which decides.
        alpha: the interval misses the truth this often at most.
        n: users of both arms.
    """

    treatment: float
    control: float
    difference: float
    low: float
    high: float
    relative: float | None
    relative_low: float | None
    relative_high: float | None
    p_value: float
    alpha: float
    n: int


def read_out(difference: Difference, widths: tuple[float, float], p_value: float, alpha: float) -> ReadOut:
    """Return a read-out.

    Args:
        widths: half widths of the interval in standard errors: of the absolute difference, and of
            the logarithm of the relative one.
    """
    half = widths[0] * difference.error
    value, relative, log_error = difference.absolute, difference.relative, difference.log_error
    low = high = None
    if relative is not None and log_error is not None:
        factor = math.exp(min(widths[1] * log_error, 700.0))
        low, high = (1 + relative) / factor - 1, (1 + relative) * factor - 1
    return ReadOut(
        difference.treatment.value, difference.control.value, value, value - half, value + half,
        relative, low, high, p_value, alpha, difference.n,
    )  # fmt: skip
