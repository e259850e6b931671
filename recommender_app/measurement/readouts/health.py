"""Whether the numbers of a phase can be believed: what is looked at before any result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from statistics import NormalDist
from typing import Any

from scipy.special import chdtrc

from recommender_app.experiments.statistics.ratio import compare
from recommender_app.experiments.statistics.srm import RED, mismatch
from recommender_app.measurement.readouts.gathering import Gathered, GatheredArm

FALLBACKS = "fallback_rate"
CROSSOVERS = 0.01  # share of the units of an arm from which on they are a warning


class Severity(StrEnum):
    """How bad it is."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True)
class Check:
    """What one check says.

    Attributes:
        blocks: whether no result can be believed while it is red.
        value, p: what was looked at; None where there is nothing to look at.
    """

    check: str
    severity: Severity
    sentence: str
    blocks: bool = False
    value: float | None = None
    p: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as stored in a snapshot."""
        return asdict(self)


def health_of(gathered: Gathered, *, n_moved: int, days_missing: int) -> list[Check]:
    """Return all checks, the worst first.

    Args:
        n_moved: stored assignments that the hashes would not make today.
        days_missing: days of the phase that are not rolled up.
    """
    checks = [
        _ratio(gathered),
        _audit(n_moved),
        _exposure(gathered),
        _fallbacks(gathered),
        _excluded(gathered),
        _days(days_missing),
    ]
    order = [Severity.RED, Severity.AMBER, Severity.GREEN]
    return sorted(checks, key=lambda check: order.index(check.severity))


def blocking(checks: Iterable[Check]) -> list[str]:
    """Return the names of the checks because of which no result can be believed."""
    return [check.check for check in checks if check.blocks and check.severity is Severity.RED]


def _ratio(gathered: Gathered) -> Check:
    users = {arm.key: arm.exposed for arm in gathered.arms}
    found = mismatch(users, {arm.key: float(arm.weight) for arm in gathered.arms})
    told = ", ".join(f"{key} {n:,}" for key, n in users.items())
    loss = (
        "no loss could be seen yet" if found.detectable_loss is None else f"a loss of {found.detectable_loss:.0%} shows"
    )
    p = found.sequential_p if found.p_value is None else min(found.p_value, found.sequential_p)
    if found.is_red:
        sentence = f"Units do not arrive as the arms' weights say: {told}. Something loses those of one arm."
        return Check("sample_ratio", Severity.RED, sentence, blocks=True, value=found.chi_square, p=p)
    sentence = f"Units arrive as the weights say: {told}; {loss}."
    return Check("sample_ratio", Severity.GREEN, sentence, blocks=True, value=found.chi_square, p=p)


def _audit(n_moved: int) -> Check:
    if n_moved:
        sentence = f"{n_moved:,} stored assignments are others than the hashes give: see recommender_experiment_audit."
        return Check("audit", Severity.RED, sentence, blocks=True, value=float(n_moved))
    return Check(
        "audit", Severity.GREEN, "Every stored assignment is the one that the hashes give.", blocks=True, value=0.0
    )


def _exposure(gathered: Gathered) -> Check:
    """Compare the share of the assigned units that were exposed: chi-square over the arms."""
    p = _alike([(arm.exposed, arm.assigned) for arm in gathered.arms])
    told = ", ".join(f"{arm.key} {_share(arm.exposed, arm.assigned)}" for arm in gathered.arms)
    if p is not None and p < RED:
        return Check("exposure", Severity.RED, f"Not all arms show their units a list: {told}.", blocks=True, p=p)
    return Check("exposure", Severity.GREEN, f"Of the assigned units, {told} were answered.", blocks=True, p=p)


def _fallbacks(gathered: Gathered) -> Check:
    p_values = {arm.key: _p_of_more(arm, gathered.control) for arm in gathered.treatments}
    worst = min(p_values, key=lambda key: p_values[key])
    told = ", ".join(f"{arm.key} {_rate(arm)}" for arm in gathered.arms)
    if p_values[worst] < RED:
        sentence = (
            f"Another engine than the routed one answers more often in {worst}: {told}. Assigned arms are compared."
        )
        return Check("fallbacks", Severity.RED, sentence, p=p_values[worst])
    return Check(
        "fallbacks", Severity.GREEN, f"Answers by another engine than the routed one: {told}.", p=p_values[worst]
    )


def _p_of_more(arm: GatheredArm, control: GatheredArm) -> float:
    """Return the p-value of no more fallbacks than in control; 1 where the users do not tell."""
    difference = compare(arm.totals[FALLBACKS], control.totals[FALLBACKS])
    return 1.0 if difference is None else NormalDist().cdf(-difference.absolute / difference.error)


def _excluded(gathered: Gathered) -> Check:
    shares = {arm.key: arm.excluded / max(arm.assigned + arm.excluded, 1) for arm in gathered.arms}
    told = ", ".join(f"{arm.key} {arm.excluded:,}" for arm in gathered.arms)
    is_many = max(shares.values()) > CROSSOVERS
    severity = Severity.AMBER if is_many else Severity.GREEN
    sentence = f"Units left out (in two arms, or bots): {told}{'; more than 1 % of an arm' if is_many else ''}."
    return Check("excluded", severity, sentence, value=max(shares.values()))


def _days(days_missing: int) -> Check:
    if days_missing:
        sentence = f"Days of the phase that are not rolled up: {days_missing} (manage.py recommender_roll_up)."
        return Check("days", Severity.AMBER, sentence, value=float(days_missing))
    return Check("days", Severity.GREEN, "Every day of the phase is rolled up.", value=0.0)


def _alike(counts: Sequence[tuple[int, int]]) -> float | None:
    """Return the p-value of equal shares; None where too few are expected on a side."""
    total = sum(n for _, n in counts)
    if not total:
        return None
    share = sum(y for y, _ in counts) / total
    if min(n for _, n in counts) * min(share, 1 - share) < 5:
        return None
    chi_square = sum((y - n * share) ** 2 / (n * share * (1 - share)) for y, n in counts)
    return float(chdtrc(len(counts) - 1, chi_square))


def _share(y: int, n: int) -> str:
    return f"{y / n:.1%}" if n else "none"


def _rate(arm: GatheredArm) -> str:
    totals = arm.totals[FALLBACKS]
    return f"{totals.y / totals.x:.2%}" if totals.x else "none"
