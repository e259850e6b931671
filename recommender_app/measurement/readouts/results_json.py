"""Results as plain values, as snapshots hold them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from recommender_app.measurement.readouts.gathering import Gathered, GatheredArm
from recommender_app.measurement.readouts.results import Compared, Results


def as_json(results: Results, gathered: Gathered) -> dict[str, Any]:
    """Return the results as stored in a snapshot: values of every arm, then the comparisons."""
    arms = {arm.key: _arm_json(arm) for arm in gathered.arms}
    return {
        "days": gathered.days,
        "arms": arms,
        "primary": [_compared_json(each) for each in results.primary],
        "secondary": [_compared_json(each) for each in results.secondary],
        "guardrails": [
            {"metric": metric, "arm": arm, **asdict(said)}
            for metric, of_arms in results.guardrails.items()
            for arm, said in of_arms.items()
        ],
        "all_phases": {arm: asdict(each) for arm, each in results.all_phases.items()},
    }


def _arm_json(arm: GatheredArm) -> dict[str, Any]:
    values = {key: {"n": each.n, "value": each.y / each.x if each.x else None} for key, each in arm.totals.items()}
    return {
        "is_control": arm.is_control,
        "assigned": arm.assigned,
        "exposed": arm.exposed,
        "excluded": arm.excluded,
        "metrics": values,
    }


def _compared_json(each: Compared) -> dict[str, Any]:
    return {
        "metric": each.metric.key,
        "arm": each.arm,
        "p_adjusted": each.p_adjusted,
        "always_valid": asdict(each.always_valid) if each.always_valid else None,
        "fixed": asdict(each.fixed) if each.fixed else None,
        "fixed_p_adjusted": each.fixed_p_adjusted,
    }
