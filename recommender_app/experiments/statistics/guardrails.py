"""Guardrails: whether a treatment is worse than control by more than it may be.

One-sided and valid at every look. A guardrail is not made looser by how many there are: it is an
alarm, not a discovery. The margin is part of the comparison: with a margin of 10 % of control, what
is looked at is treatment - 1.1 control, which needs no division by a rate near zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from recommender_app.experiments.statistics.confidence_sequence import half_width
from recommender_app.experiments.statistics.ratio import Difference, Estimate, compare
from recommender_app.experiments.statistics.sums import Totals

BREACH_ALPHA = 0.01  # false alarms per guardrail and experiment, at most
SAFE_ALPHA = 0.05


class Safety(StrEnum):
    """What a guardrail says."""

    SAFE = "safe"
    UNDECIDED = "undecided"
    BREACHED = "breached"


@dataclass(frozen=True)
class Margin:
    """How much worse than control a treatment may be.

    Attributes:
        allowed: 0.1 = by a tenth of control's rate, or by 0.1 if it is not relative.
        more_is_worse: of latency, fallbacks and dislikes; not of diversity.
    """

    allowed: float
    more_is_worse: bool
    is_relative: bool = True

    def __post_init__(self) -> None:
        """Refuse a margin below zero."""
        if self.allowed < 0:
            raise ValueError(f"A margin is how much worse an arm may be, from 0 on; this one is {self.allowed}.")


@dataclass(frozen=True)
class Guardrail:
    """A guardrail's read-out.

    Attributes:
        treatment, control: the rates.
        beyond: how far treatment is beyond the margin; below zero it is within.
        at_least, at_most: bounds of ``beyond``: breached if the one is above zero, safe if the
            other is below.
    """

    treatment: float
    control: float
    beyond: float
    at_least: float
    at_most: float
    safety: Safety


def guard(treatment: Totals, control: Totals, margin: Margin, planned: int) -> Guardrail | None:
    """Return what a guardrail says; None where the users do not tell (nobody has ever seen it happen).

    Args:
        planned: users of both arms, as for ``always_valid_read_out``.
    """
    difference = compare(treatment, control)
    if difference is None:
        return None
    sign = 1 if margin.more_is_worse else -1
    scale = 1 + sign * margin.allowed if margin.is_relative else 1.0
    scaled = _scaled(difference.control, scale)
    judged = Difference(difference.treatment, scaled, difference.n)
    beyond = sign * judged.absolute - (0.0 if margin.is_relative else margin.allowed)
    # The bound of a two-sided sequence at 2 alpha is a one-sided one at alpha.
    at_least = beyond - half_width(judged.n, planned, 2 * BREACH_ALPHA) * judged.error
    at_most = beyond + half_width(judged.n, planned, 2 * SAFE_ALPHA) * judged.error
    safety = Safety.BREACHED if at_least > 0 else Safety.SAFE if at_most < 0 else Safety.UNDECIDED
    return Guardrail(difference.treatment.value, difference.control.value, beyond, at_least, at_most, safety)


def _scaled(estimate: Estimate, scale: float) -> Estimate:
    return Estimate(estimate.value * scale, estimate.variance * scale**2, estimate.df)
