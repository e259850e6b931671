"""Running phases with arms and eligibility of one's own, and readers whom the hashes put where a test wants them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils import timezone

from recommender_app.experiments import running
from recommender_app.experiments.hashing import arm_of, bucket
from recommender_app.models import Arm, Experiment, Phase
from tests.app import library
from tests.toyhost.models import Reader

HALVES = {"control": {}, "b": {}}


def make_phase(
    arms: Mapping[str, Mapping[str, Any]] = HALVES,
    key: str = "e",
    *,
    eligibility: Mapping[str, Any] | None = None,
    enrol_bp: int = 10_000,
    **fields: Any,
) -> Phase:
    """Return a running phase of the books; the first of ``arms`` {key: policy} is the control, all weigh the same."""
    experiment = Experiment.objects.create(key=key, name=key, use_case="books", **fields)
    phase = Phase.objects.create(
        experiment=experiment, number=1, enrol_salt=f"{key}-in", arm_salt=f"{key}-arm", eligibility=eligibility or {}
    )
    for place, (name, policy) in enumerate(arms.items()):
        weight = 10_000 // len(arms)
        Arm.objects.create(phase=phase, key=name, is_control=not place, weight_bp=weight, policy=dict(policy))
    start(phase, enrol_bp)
    return phase


def start(phase: Phase, enrol_bp: int = 10_000) -> None:
    """Let a phase run, in this process at once."""
    phase.experiment.status = Experiment.Status.RUNNING
    phase.experiment.save()
    phase.enrol_bp, phase.started_at = enrol_bp, timezone.now()
    phase.save()
    running.forget()


def hashed_arm(phase: Phase, unit_id: str, unit_type: str = "user") -> str:
    """Return the key of the arm that the hash proposes."""
    arm = arm_of(bucket(phase.arm_salt, unit_type, unit_id), phase.arms.order_by("pk"))
    assert arm is not None
    return arm.key


def readers(phase: Phase, arm: str, **values: Any) -> Iterator[Reader]:
    """Yield new readers whom the hash puts into an arm."""
    number = Reader.objects.count()
    while True:
        number += 1
        reader = library.add_reader(f"reader{number}", **values)
        if hashed_arm(phase, str(reader.pk)) == arm:
            yield reader
