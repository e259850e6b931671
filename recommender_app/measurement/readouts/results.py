"""What came of the arms: every metric of every treatment against control, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from recommender_app.experiments.metrics import METRICS, Metric
from recommender_app.experiments.statistics.confidence_sequence import always_valid_read_out
from recommender_app.experiments.statistics.fixed_horizon import fixed_read_out, is_unlocked
from recommender_app.experiments.statistics.guardrails import Guardrail, Margin, guard
from recommender_app.experiments.statistics.multiplicity import benjamini_hochberg, holm
from recommender_app.experiments.statistics.ramp import compare_strata
from recommender_app.experiments.statistics.ratio import compare
from recommender_app.experiments.statistics.read_out import ReadOut
from recommender_app.experiments.statistics.sums import Totals
from recommender_app.measurement.readouts.gathering import Gathered, GatheredArm, metrics_of_experiment

Earlier = Mapping[str, tuple[Totals, ...]]  # {arm: totals of the primary metric in earlier phases}


@dataclass(frozen=True)
class Compared:
    """One metric of one treatment, beside control.

    Attributes:
        always_valid: read-out that may be looked at every day; None where the users do not tell.
        p_adjusted: its p-value, adjusted for the number of treatments (primary) or of questions (secondary).
        fixed: read-out of the one look at the planned sample; None before.
        fixed_p_adjusted: its p-value, adjusted for the number of treatments.
    """

    metric: Metric
    arm: str
    always_valid: ReadOut | None
    p_adjusted: float | None = None
    fixed: ReadOut | None = None
    fixed_p_adjusted: float | None = None


@dataclass(frozen=True)
class Results:
    """All of a phase.

    Attributes:
        primary, secondary: by metric and treatment, in order.
        guardrails: {metric: {treatment: what its guardrail says}}.
        all_phases: {treatment: the primary metric over this phase and those before it with the same arms}.
    """

    primary: tuple[Compared, ...]
    secondary: tuple[Compared, ...]
    guardrails: Mapping[str, Mapping[str, Guardrail]]
    all_phases: Mapping[str, ReadOut]


def results_of(gathered: Gathered, earlier: Earlier | None = None) -> Results:
    """Return the results of a phase.

    Args:
        earlier: what the last snapshots of earlier phases hold of the primary metric.
    """
    experiment = gathered.phase.experiment
    primary = _compared(gathered, METRICS[experiment.primary_metric], unlocks=True)
    adjusted = holm({each.arm: each.always_valid.p_value for each in primary if each.always_valid})
    fixed = holm({each.arm: each.fixed.p_value for each in primary if each.fixed})
    metrics = [metric for metric in metrics_of_experiment(experiment) if metric.key in experiment.secondary_metrics]
    secondary = [
        each for metric in metrics for each in _compared(gathered, metric) if metric.key != experiment.primary_metric
    ]
    explored = benjamini_hochberg({_name(each): each.always_valid.p_value for each in secondary if each.always_valid})
    return Results(
        tuple(
            replace(each, p_adjusted=adjusted.get(each.arm), fixed_p_adjusted=fixed.get(each.arm)) for each in primary
        ),
        tuple(replace(each, p_adjusted=explored.get(_name(each))) for each in secondary),
        _guardrails(gathered),
        _all_phases(gathered, earlier or {}),
    )


def _compared(gathered: Gathered, metric: Metric, *, unlocks: bool = False) -> list[Compared]:
    planned, alpha = gathered.phase.planned_units, gathered.phase.experiment.alpha
    is_open = unlocks and is_unlocked((_n(arm, metric) for arm in gathered.arms), planned)
    found = []
    for arm in gathered.treatments:
        difference = compare(arm.totals[metric.key], gathered.control.totals[metric.key])
        if difference is None:
            found.append(Compared(metric, arm.key, None))
            continue
        fixed = fixed_read_out(difference, alpha) if is_open else None
        found.append(Compared(metric, arm.key, always_valid_read_out(difference, 2 * planned, alpha), fixed=fixed))
    return found


def _guardrails(gathered: Gathered) -> dict[str, dict[str, Guardrail]]:
    found: dict[str, dict[str, Guardrail]] = {}
    for key, margin in gathered.phase.experiment.guardrails.items():
        metric = METRICS[key]
        allowed = Margin(metric.margin if margin is None else float(margin), more_is_worse=metric.direction < 0)
        for arm in gathered.treatments:
            said = guard(arm.totals[key], gathered.control.totals[key], allowed, 2 * gathered.phase.planned_units)
            if said is not None:
                found.setdefault(key, {})[arm.key] = said
    return found


def _all_phases(gathered: Gathered, earlier: Earlier) -> dict[str, ReadOut]:
    """Compare within phases and average: counts are never added up over phases."""
    key, phase, found = gathered.phase.experiment.primary_metric, gathered.phase, {}
    before = earlier.get(gathered.control.key, ())
    for arm in gathered.treatments:
        strata = list(zip(earlier.get(arm.key, ()), before, strict=False))
        difference = compare_strata([*strata, (arm.totals[key], gathered.control.totals[key])])
        if strata and difference is not None:
            found[arm.key] = always_valid_read_out(difference, 2 * phase.planned_units, phase.experiment.alpha)
    return found


def _name(each: Compared) -> str:
    return f"{each.metric.key}/{each.arm}"


def _n(arm: GatheredArm, metric: Metric) -> int:
    return arm.totals[metric.key].n


def smallest_arm(gathered: Gathered) -> int:
    """Return the users of the primary metric in the smallest arm."""
    metric = METRICS[gathered.phase.experiment.primary_metric]
    return min(_n(arm, metric) for arm in gathered.arms)
