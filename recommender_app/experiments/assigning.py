"""Which arm a unit is in: the stored row says so; where there is none, the hashes propose and a row is stored.

A row outlives everything but its phase: ramping down, pausing and a unit that is eligible no more
move nobody. A unit has one arm per use case: who is in one running phase is enrolled in no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recommender_app.experiments.assignment_rows import insert_unless_there, select_arms
from recommender_app.experiments.facts import Facts, frozen_eligibility
from recommender_app.experiments.hashing import arm_of, bucket
from recommender_app.experiments.phases import RunningArm, RunningPhase
from recommender_app.experiments.running import running_phases
from recommender_app.models import Assignment, Experiment
from recommender_app.usecases.declaration import UseCase

LONGEST_ID = 255  # characters that the table holds


@dataclass(frozen=True)
class Unit:
    """Who is assigned: a user by external id, or a session; ids as text."""

    type: str
    id: str


@dataclass(frozen=True)
class Assigned:
    """A unit's arm.

    Attributes:
        experiment, phase, arm: key, number, key; as the request log has them.
        policy: what the arm says on top of the policy in force.
        is_control: whether others are compared with it.
    """

    experiment: str
    phase: int
    arm: str
    policy: Mapping[str, Any]
    is_control: bool


def assign(use_case: UseCase, unit: Unit, facts: Facts) -> Assigned | None:
    """Return the unit's arm, stored from now on; None where nothing runs for it.

    Queries: none where nothing runs, one for who has a row, two for who gets one, three where
    another process stored it in between.

    Raises:
        DatabaseError: the database cannot be asked.
    """
    phases = phases_for(use_case, unit)
    if not phases:
        return None
    return stored_arm(phases, unit) or _enrolled(phases, unit, use_case, facts)


def peek(use_case: UseCase, unit: Unit, facts: Facts) -> Assigned | None:
    """Return what ``assign`` would, and store nothing."""
    phases = phases_for(use_case, unit)
    if not phases:
        return None
    found = stored_arm(phases, unit)
    if found:
        return found
    proposal = proposed(phases, unit, use_case, facts)
    return assigned(proposal.phase, proposal.arm) if proposal else None


def phases_for(use_case: UseCase, unit: Unit) -> tuple[RunningPhase, ...]:
    """Return the phases that a unit may be in: a user may have taken the arm of a session along."""
    is_user = unit.type == Experiment.UnitType.USER
    return tuple(phase for phase in running_phases(use_case.key) if is_user or phase.unit_type == unit.type)


def assigned(phase: RunningPhase, arm: RunningArm) -> Assigned:
    """Return an arm as those who serve and log it want it."""
    return Assigned(phase.experiment, phase.number, arm.key, arm.policy, arm.is_control)


def stored_arm(phases: tuple[RunningPhase, ...], unit: Unit) -> Assigned | None:
    """Return the arm that the unit's row names; of several rows, the oldest. One query, of the database of the rows."""
    by_pk = {phase.pk: phase for phase in phases}
    for phase_pk, arm_pk in select_arms(list(by_pk), unit.type, unit.id):
        arm = next((arm for arm in by_pk[phase_pk].arms if arm.pk == arm_pk), None)
        if arm:
            return assigned(by_pk[phase_pk], arm)
    return None


@dataclass(frozen=True)
class Proposal:
    """What the hashes say of a unit that has no row.

    Attributes:
        phase, arm: where it would be.
        enrol_bucket, arm_bucket: 0..9999 each.
        eligibility: what makes it eligible, as it is now.
    """

    phase: RunningPhase
    arm: RunningArm
    enrol_bucket: int
    arm_bucket: int
    eligibility: Mapping[str, Any]


def proposed(phases: tuple[RunningPhase, ...], unit: Unit, use_case: UseCase, facts: Facts) -> Proposal | None:
    """Return the proposal of the oldest phase that would enrol the unit; no query of ours."""
    found = (_proposal(phase, unit, use_case, facts) for phase in phases)
    proposal = next((each for each in found if each), None)
    if proposal is None or (facts.user is not None and use_case.is_test_user(facts.user)):
        return None
    return proposal


def _proposal(phase: RunningPhase, unit: Unit, use_case: UseCase, facts: Facts) -> Proposal | None:
    if not phase.is_enrolling or phase.unit_type != unit.type or len(unit.id) > LONGEST_ID:
        return None
    enrol_bucket = bucket(phase.enrol_salt, unit.type, unit.id)
    if enrol_bucket >= phase.enrol_bp or not phase.is_in_layer(unit.type, unit.id):
        return None
    arm_bucket = bucket(phase.arm_salt, unit.type, unit.id)
    arm = arm_of(arm_bucket, phase.arms)
    eligibility = frozen_eligibility(use_case, phase.eligibility, facts) if arm else None
    if arm is None or eligibility is None:
        return None
    return Proposal(phase, arm, enrol_bucket, arm_bucket, eligibility)


def _enrolled(phases: tuple[RunningPhase, ...], unit: Unit, use_case: UseCase, facts: Facts) -> Assigned | None:
    proposal = proposed(phases, unit, use_case, facts)
    if proposal is None:
        return None
    if insert_unless_there(row_of(proposal, unit)):
        return assigned(proposal.phase, proposal.arm)
    # Somebody was quicker. In a transaction that sees an older state, the row may be hidden: it says the same.
    return stored_arm(phases, unit) or assigned(proposal.phase, proposal.arm)


def row_of(proposal: Proposal, unit: Unit) -> Assignment:
    """Return the row of a proposal, not stored yet."""
    return Assignment(
        phase_id=proposal.phase.pk,
        unit_type=unit.type,
        unit_id=unit.id,
        arm_id=proposal.arm.pk,
        enrol_bucket=proposal.enrol_bucket,
        arm_bucket=proposal.arm_bucket,
        enrol_bp=proposal.phase.enrol_bp,
        eligibility=dict(proposal.eligibility),
    )
