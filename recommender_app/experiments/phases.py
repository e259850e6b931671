"""A running phase as a process keeps it: plain values, with all that an assignment needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recommender_app.experiments.hashing import bucket
from recommender_app.models import Arm, Experiment, Phase
from recommender_app.models.experiment import ALL


@dataclass(frozen=True)
class RunningArm:
    """One treatment.

    Attributes:
        pk, key, weight_bp, is_control: as in the row.
        policy: what it says on top of the policy in force.
    """

    pk: int
    key: str
    weight_bp: int
    is_control: bool
    policy: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunningPhase:
    """One phase that runs.

    Attributes:
        experiment, pk, number: key of the experiment; the phase's row and its number.
        unit_type: what is enrolled: user or session.
        enrol_salt, arm_salt: of the two hashes.
        eligibility, enrol_bp, is_enrolling: who may be enrolled now.
        arms: in order of their ids.
        layer_salt, layer_from, layer_to: the experiment's own part of a line that it shares; "" = it shares none.
    """

    experiment: str
    pk: int
    number: int
    unit_type: str
    enrol_salt: str
    arm_salt: str
    eligibility: Mapping[str, Any]
    enrol_bp: int
    is_enrolling: bool
    arms: tuple[RunningArm, ...]
    layer_salt: str = ""
    layer_from: int = 0
    layer_to: int = ALL

    def is_in_layer(self, unit_type: str, unit_id: str) -> bool:
        """Tell whether a unit is in the experiment's part of the line."""
        if not self.layer_salt:
            return True
        return self.layer_from <= bucket(self.layer_salt, unit_type, unit_id) < self.layer_to


def read_running(use_case_key: str) -> tuple[RunningPhase, ...]:
    """Return the phases of a use case that run, oldest first; one query where none does."""
    rows = Phase.objects.filter(
        experiment__use_case=use_case_key,
        experiment__status=Experiment.Status.RUNNING,
        started_at__isnull=False,
        ended_at__isnull=True,
    )
    return tuple(
        phase_of(row) for row in rows.select_related("experiment__layer").prefetch_related("arms").order_by("pk")
    )


def phase_of(row: Phase) -> RunningPhase:
    """Return a stored phase as plain values, whether it runs or not."""
    experiment = row.experiment
    layer = experiment.layer
    return RunningPhase(
        experiment=experiment.key,
        pk=row.pk,
        number=row.number,
        unit_type=experiment.unit_type,
        enrol_salt=row.enrol_salt,
        arm_salt=row.arm_salt,
        eligibility=row.eligibility,
        enrol_bp=row.enrol_bp,
        is_enrolling=row.is_enrolling,
        arms=tuple(_arm_of(arm) for arm in sorted(row.arms.all(), key=lambda arm: arm.pk)),
        layer_salt=layer.salt if layer else "",
        layer_from=experiment.layer_from,
        layer_to=experiment.layer_to,
    )


def _arm_of(row: Arm) -> RunningArm:
    return RunningArm(row.pk, row.key, row.weight_bp, row.is_control, row.policy)
