"""The difference between the rates of two arms, absolute and relative; means are rates with x = 1 (Welch)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from recommender_app.experiments.statistics.delta import standard_error
from recommender_app.experiments.statistics.sums import Totals

FAR_FROM_ZERO = 4.0  # standard errors: nearer to zero, a rate is nothing to divide by


@dataclass(frozen=True)
class Estimate:
    """The rate of an arm: its value, the variance of that, and the degrees of freedom the variance has."""

    value: float
    variance: float
    df: float


@dataclass(frozen=True)
class Difference:
    """What treatment has more than control.

    Attributes:
        n: users of both arms.
    """

    treatment: Estimate
    control: Estimate
    n: int

    @property
    def absolute(self) -> float:
        """Treatment minus control."""
        return self.treatment.value - self.control.value

    @property
    def error(self) -> float:
        """Standard error of the absolute difference."""
        return math.sqrt(self.treatment.variance + self.control.variance)

    @property
    def df(self) -> float:
        """Degrees of freedom of it, by Welch and Satterthwaite."""
        return _welch_df(self.treatment.variance, self.treatment.df, self.control.variance, self.control.df)

    @property
    def relative(self) -> float | None:
        """Treatment / control - 1; None where a rate is too near to zero to tell."""
        return self.treatment.value / self.control.value - 1 if self._is_divisible else None

    @property
    def log_error(self) -> float | None:
        """Standard error of log(treatment / control), by the delta method; None where ``relative`` is."""
        return math.sqrt(sum(self._log_variances)) if self._is_divisible else None

    @property
    def log_df(self) -> float | None:
        """Degrees of freedom of it; None where ``relative`` is."""
        if not self._is_divisible:
            return None
        treatment, control = self._log_variances
        return _welch_df(treatment, self.treatment.df, control, self.control.df)

    @property
    def _is_divisible(self) -> bool:
        return all(each.value > FAR_FROM_ZERO * math.sqrt(each.variance) for each in (self.treatment, self.control))

    @property
    def _log_variances(self) -> tuple[float, float]:
        return self.treatment.variance / self.treatment.value**2, self.control.variance / self.control.value**2


def compare(treatment: Totals, control: Totals) -> Difference | None:
    """Return the difference of two arms; None where the users do not tell: fewer than two in one, or all alike."""
    of_treatment, of_control = estimate(treatment, beside=control), estimate(control, beside=treatment)
    if of_treatment is None or of_control is None:
        return None
    return Difference(of_treatment, of_control, treatment.n + control.n)


def estimate(totals: Totals, *, beside: Totals) -> Estimate | None:
    """Return the rate of an arm; None where its users do not tell.

    Args:
        beside: the other arm. Users who are all alike (nobody has clicked yet) do not tell how much
            they could differ; one average user of the other arm among them then does, so that 0
            against many is seen and is not infinitely sure.
    """
    if totals.n < 2 or totals.x <= 0:
        return None
    error = standard_error(totals)
    if error is None and beside.x > 0:
        error = standard_error(totals + _average_user(beside))
    return None if error is None else Estimate(totals.y / totals.x, error**2, totals.n - 1)


def _average_user(totals: Totals) -> Totals:
    y, x = totals.y / totals.n, totals.x / totals.n
    return Totals(1, y, x, y * y, x * x, x * y)


def _welch_df(first: float, first_df: float, second: float, second_df: float) -> float:
    return (first + second) ** 2 / (first**2 / first_df + second**2 / second_df)
