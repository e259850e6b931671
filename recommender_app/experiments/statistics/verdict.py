"""What to make of it, in words: health first, then guardrails, then the primary metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from recommender_app.experiments.statistics.guardrails import Safety
from recommender_app.experiments.statistics.read_out import ReadOut
from recommender_app.experiments.statistics.wording import called, change, listed

LEAST_USERS = 100  # of both arms: intervals hold for many users, not for a handful


class Status(StrEnum):
    """The verdict in a word."""

    UNHEALTHY = "unhealthy"
    HARMFUL = "harmful"
    TOO_EARLY = "too_early"
    WINNER = "winner"
    LOSER = "loser"
    NO_DIFFERENCE = "no_difference"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Plan:
    """What was written down before the start.

    Attributes:
        metric: name of the primary metric.
        is_share: whether it is a part of a whole, which is said in per cent.
        more_is_better: of the metric.
        min_days: no winner before.
        planned: users per arm; 0 = none planned.
    """

    metric: str
    alpha: float = 0.05
    more_is_better: bool = True
    min_days: int = 14
    planned: int = 0
    is_share: bool = False


@dataclass(frozen=True)
class Treatment:
    """What is known of a treatment.

    Attributes:
        read_out: of the primary metric, by the method that the experiment decides by; None = the users do not tell.
        p_adjusted: of the same, for several treatments (``holm``); None where ``read_out`` is.
        guardrails: {name of a metric: what its guardrail says}.
        name: for people; "" = it has none but its key.
    """

    arm: str
    read_out: ReadOut | None
    p_adjusted: float | None
    guardrails: Mapping[str, Safety] = field(default_factory=dict)
    name: str = ""

    @property
    def called(self) -> str:
        """What sentences call it."""
        return called(self.arm, self.name)


@dataclass(frozen=True)
class Verdict:
    """The verdict.

    Attributes:
        arm: that it is about; None = all of them.
        sentence: for people.
    """

    status: Status
    arm: str | None
    sentence: str


def verdict(
    plan: Plan, treatments: Sequence[Treatment], days: int, *, smallest_arm: int, red: Sequence[str] = ()
) -> Verdict:
    """Return the verdict.

    Args:
        treatments: at least one.
        days: whole ones since the start.
        smallest_arm: users in the smallest arm, control among them.
        red: names of the health checks that failed.
    """
    if red:
        return Verdict(
            Status.UNHEALTHY, None, f"Do not read the results: {listed(red)} failed. Find the cause, then start anew."
        )
    for each in treatments:
        if broken := [name for name, safety in each.guardrails.items() if safety is Safety.BREACHED]:
            return Verdict(Status.HARMFUL, each.arm, f"Stop {each.called}: {listed(broken)} beyond the margin.")
    told = [each for each in treatments if each.read_out is not None and each.read_out.n >= LEAST_USERS]
    if days < plan.min_days or not told:
        return Verdict(Status.TOO_EARLY, None, _too_early(plan, days))
    return _decided(plan, told, len(treatments)) or _open(plan, told, smallest_arm)


def _too_early(plan: Plan, days: int) -> str:
    if days < plan.min_days:
        return f"Too early: {days} of at least {plan.min_days} days."
    return f"Too early: fewer than {LEAST_USERS} users tell of {plan.metric}."


def _decided(plan: Plan, told: Sequence[Treatment], n_treatments: int) -> Verdict | None:
    """Return a verdict on what differs for sure; None if nothing does, or only some treatments lose."""
    sure = [each for each in told if each.p_adjusted is not None and each.p_adjusted < plan.alpha]
    best_first = sorted(sure, key=lambda each: _gain(plan, each), reverse=True)
    if best_first and _gain(plan, best_first[0]) > 0:
        best = best_first[0]
        return Verdict(Status.WINNER, best.arm, f"{best.called} wins: {_told(plan, best)}{_not_yet_safe(best)}.")
    if best_first and len(best_first) == n_treatments:
        arm = best_first[0].arm if n_treatments == 1 else None
        told_of = "; ".join(f"{each.called}, {_told(plan, each)}" for each in best_first)
        return Verdict(Status.LOSER, arm, f"Keep control, everything else is worse: {told_of}.")
    return None


def _open(plan: Plan, told: Sequence[Treatment], smallest_arm: int) -> Verdict:
    told_of = "; ".join(f"{each.called}, {_told(plan, each)}" for each in told)
    if plan.planned and smallest_arm >= plan.planned:
        return Verdict(
            Status.NO_DIFFERENCE, None, f"No winner with the planned {plan.planned:,} users per arm: {told_of}."
        )
    of_planned = f" of the planned {plan.planned:,}" if plan.planned else ""
    return Verdict(
        Status.UNDECIDED, None, f"Undecided with {smallest_arm:,}{of_planned} users in the smallest arm: {told_of}."
    )


def _gain(plan: Plan, treatment: Treatment) -> float:
    assert treatment.read_out is not None
    return treatment.read_out.difference * (1 if plan.more_is_better else -1)


def _told(plan: Plan, treatment: Treatment) -> str:
    assert treatment.read_out is not None
    return f"{plan.metric} {change(treatment.read_out, is_share=plan.is_share)}"


def _not_yet_safe(treatment: Treatment) -> str:
    open_ones = [name for name, safety in treatment.guardrails.items() if safety is Safety.UNDECIDED]
    return f" (not yet shown to be within the margin: {listed(open_ones)})" if open_ones else ""
