"""All that is known of a phase at the end of a day: who is in which arm, and what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from django.db.models import Count, Q

from recommender_app.experiments.linking import COUNTED_AS_USER
from recommender_app.experiments.metrics import LATENCY, METRICS, Metric
from recommender_app.experiments.statistics.sums import Totals
from recommender_app.measurement.days import Day, aware, stored
from recommender_app.measurement.readouts.slow_answers import slow_from, slow_sums
from recommender_app.measurement.readouts.sums import arm_rows, sums_of, within_window
from recommender_app.models import Assignment, Experiment, Phase
from recommender_app.registry.database import alias

DIGITS = 12  # significant ones of a sum that is stored: what a database adds up in another order stays the same


@dataclass(frozen=True)
class GatheredArm:
    """One arm.

    Attributes:
        weight: its share of the enrolled units, in basis points.
        assigned, exposed, excluded: units; those that are excluded are in neither of the others, and a
            session that became a user is in none: its user is.
        totals: {metric: sums over the units that were exposed}.
    """

    key: str
    is_control: bool
    weight: int
    assigned: int = 0
    exposed: int = 0
    excluded: int = 0
    totals: Mapping[str, Totals] = field(default_factory=dict)


@dataclass(frozen=True)
class Gathered:
    """A phase at the end of a day.

    Attributes:
        arms: control first.
        days: whole ones since the start.
    """

    phase: Phase
    as_of: date
    arms: tuple[GatheredArm, ...]
    days: int

    @property
    def control(self) -> GatheredArm:
        """The arm that the others are compared with."""
        return self.arms[0]

    @property
    def treatments(self) -> tuple[GatheredArm, ...]:
        """The other arms."""
        return self.arms[1:]

    def as_json(self) -> dict[str, Any]:
        """Return what statistics are made of, as stored in a snapshot."""
        return {arm.key: _arm_json(arm) for arm in self.arms}


def gather(phase: Phase, as_of: date) -> Gathered:
    """Return what is known of a phase; four queries per arm and one at most, whatever the number of units.

    Outcomes are those of each unit's window; guardrails watch everything, from the first day on.
    """
    arms = sorted(phase.arms.all(), key=lambda arm: (not arm.is_control, arm.pk))
    counts, metrics = _counts(phase, as_of), metrics_of_experiment(phase.experiment)
    rows = arm_rows(phase, as_of)
    counted, outcomes = within_window(rows, phase, as_of), outcomes_of(phase.experiment)
    summed = [metric for metric in metrics if metric.key != LATENCY]
    slow_bucket = slow_from(rows.filter(arm=arms[0].key)) if len(summed) < len(metrics) else None
    gathered = []
    for arm in arms:
        own = rows.filter(arm=arm.key)
        totals = sums_of(own, summed)
        if phase.experiment.window_days:
            totals |= sums_of(counted.filter(arm=arm.key), outcomes)
        if slow_bucket is not None:
            totals[LATENCY] = slow_sums(own, slow_bucket)
        gathered.append(GatheredArm(arm.key, arm.is_control, arm.weight_bp, **counts.get(arm.pk, {}), totals=totals))
    assert phase.started_at is not None
    return Gathered(phase, as_of, tuple(gathered), (Day(as_of).end - aware(phase.started_at)).days)


def metrics_of_experiment(experiment: Experiment) -> list[Metric]:
    """Return its metrics: the primary one first, the fallbacks always among them."""
    keys = [experiment.primary_metric, *experiment.secondary_metrics, *experiment.guardrails, "fallback_rate"]
    return [METRICS[key] for key in dict.fromkeys(keys) if key in METRICS]


def outcomes_of(experiment: Experiment) -> list[Metric]:
    """Return the metrics that are read as outcomes: the primary one and the secondary ones."""
    keys = [experiment.primary_metric, *experiment.secondary_metrics]
    return [METRICS[key] for key in dict.fromkeys(keys) if key in METRICS and key != LATENCY]


def data_hash(sums: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what ``as_json`` returns."""
    text = json.dumps(sums, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def totals_from(stored: Sequence[float]) -> Totals:
    """Return the totals that a snapshot holds."""
    return Totals(int(stored[0]), *stored[1:])


def _counts(phase: Phase, as_of: date) -> dict[int, dict[str, int]]:
    end = stored(Day(as_of).end)
    rows = Assignment.objects.using(alias()).filter(phase=phase, assigned_at__lt=end).order_by()
    counts = Q(excluded_reason="")
    grouped: Any = rows.values("arm").annotate(
        assigned=Count("pk", filter=counts),
        exposed=Count("pk", filter=counts & Q(first_exposed_at__lt=end)),
        excluded=Count("pk", filter=~counts & ~Q(excluded_reason=COUNTED_AS_USER)),
    )
    names = ("assigned", "exposed", "excluded")
    return {row["arm"]: {name: row[name] for name in names} for row in grouped}


def _arm_json(arm: GatheredArm) -> dict[str, Any]:
    counts = {"assigned": arm.assigned, "exposed": arm.exposed, "excluded": arm.excluded, "weight": arm.weight}
    totals = {key: [_rounded(value) for value in asdict(each).values()] for key, each in arm.totals.items()}
    return {**counts, "totals": totals}


def _rounded(value: float) -> float:
    return value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")
