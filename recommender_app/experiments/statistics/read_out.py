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
            too near to zero, and where they would say otherwise than the absolute ones whether
            there is a difference.
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
    value, relative = difference.absolute, _relative(difference, widths[1])
    if _leaves_out_zero(relative[1], relative[2]) is not _leaves_out_zero(value - half, value + half):
        relative = (None, None, None)
    return ReadOut(
        difference.treatment.value, difference.control.value, value, value - half, value + half,
        *relative, p_value, alpha, difference.n,
    )  # fmt: skip


def _relative(difference: Difference, width: float) -> tuple[float | None, float | None, float | None]:
    """Return the relative difference with its interval, which is made on the logarithmic scale."""
    value, log_error = difference.relative, difference.log_error
    if value is None or log_error is None:
        return None, None, None
    factor = math.exp(min(width * log_error, 700.0))
    return value, (1 + value) / factor - 1, (1 + value) * factor - 1


def _leaves_out_zero(low: float | None, high: float | None) -> bool | None:
    return None if low is None or high is None else low > 0 or high < 0
