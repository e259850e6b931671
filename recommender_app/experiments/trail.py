"""The trail of experiments: who did what, when and why; written in the transaction of the change itself."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from recommender_app.models import Experiment, ExperimentChange, Phase

PLAN = (  # what an experiment says before it starts; the rest of the row is what came of it
    "name",
    "hypothesis",
    "use_case",
    "unit_type",
    "primary_metric",
    "secondary_metrics",
    "guardrails",
    "alpha",
    "power",
    "least_effect",
    "min_days",
    "window_days",
    "layer_from",
    "layer_to",
)


def record(
    experiment: Experiment,
    action: str,
    by: str,
    *,
    phase: Phase | None = None,
    before: Any = None,
    after: Any = None,
    reason: str = "",
) -> ExperimentChange:
    """Add a row."""
    return ExperimentChange.objects.create(
        experiment=experiment.key,
        phase=phase.number if phase else None,
        action=action,
        changed_by=by,
        before=before,
        after=after,
        reason=reason,
    )


def plan_of(experiment: Experiment) -> dict[str, Any]:
    """Return what an experiment and its newest phase say, for the trail."""
    phase = experiment.phases.order_by("number").last()
    layer = experiment.layer
    said = {name: getattr(experiment, name) for name in PLAN} | {"layer": layer.key if layer else None}
    return said | (configuration_of(phase) if phase else {})


def state_of(experiment: Experiment, phase: Phase | None) -> dict[str, Any]:
    """Return where an experiment and a phase of it stand: what moves change."""
    if phase is None:
        return {"status": experiment.status}
    return {
        "status": experiment.status,
        "phase": phase.number,
        "started_at": _moment(phase.started_at),
        "ended_at": _moment(phase.ended_at),
        "enrol_bp": phase.enrol_bp,
        "is_enrolling": phase.is_enrolling,
    }


def configuration_of(phase: Phase) -> dict[str, Any]:
    """Return what a phase says: who is eligible, the arms, the ramp."""
    return {
        "eligibility": phase.eligibility,
        "planned_units": phase.planned_units,
        "arms": [_arm(arm) for arm in phase.arms.order_by("pk")],
        "ramp": [
            {"after_days": step.after_days, "enrol_bp": step.enrol_bp, "is_manual": step.is_manual}
            for step in phase.ramp_steps.order_by("after_days")
        ],
    }


def configuration_hash(phase: Phase) -> str:
    """Return the SHA-256 of what decides who is in which arm, and what the arms do."""
    said = configuration_of(phase)
    deciding = [phase.enrol_salt, phase.arm_salt, said["eligibility"], said["arms"]]
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _arm(arm: Any) -> dict[str, Any]:
    names = ("key", "name", "is_control", "weight_bp", "policy")
    return {name: getattr(arm, name) for name in names}
