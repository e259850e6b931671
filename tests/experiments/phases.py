"""Phases whose answers a child can count."""

from __future__ import annotations

from datetime import UTC, datetime

from recommender_app.models import Arm, Assignment, Experiment, Phase

STARTED = datetime(2026, 3, 9, tzinfo=UTC)
HALF = 5_000


def two_arms(key: str = "e", *, planned_units: int = 0, **fields) -> Phase:
    """Return a running phase of the books with the arms "control" and "b", half of the units each."""
    experiment = Experiment.objects.create(key=key, name=key, use_case="books", status="running", **fields)
    phase = Phase.objects.create(
        experiment=experiment,
        number=1,
        enrol_salt=f"{key}-in",
        arm_salt=f"{key}-arm",
        planned_units=planned_units,
    )
    Arm.objects.create(phase=phase, key="control", is_control=True, weight_bp=HALF)
    Arm.objects.create(phase=phase, key="b", weight_bp=HALF)
    phase.enrol_bp, phase.started_at = 10_000, STARTED
    phase.save()
    return phase


def assign(phase: Phase, arm: str, *units: str, **fields) -> None:
    """Store that units are in an arm."""
    found = phase.arms.get(key=arm)
    Assignment.objects.bulk_create(
        Assignment(phase=phase, unit_id=unit, arm=found, enrol_bucket=0, arm_bucket=0, enrol_bp=10_000, **fields)
        for unit in units
    )
