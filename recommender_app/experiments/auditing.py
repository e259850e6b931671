"""Every stored assignment hashed again: on a small site, the only way to see that units were moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from recommender_app.experiments.hashing import arm_of, bucket
from recommender_app.models import Arm, Assignment, Phase
from recommender_app.registry.database import alias

CHUNK = 2_000  # rows at a time


@dataclass(frozen=True)
class Moved:
    """A row that the hashes would not make.

    Attributes:
        pk, unit_id: of the row.
        stored, expected: keys of arms.
        problem: what does not agree, in one sentence.
    """

    pk: int
    unit_id: str
    stored: str
    expected: str
    problem: str


def moved(phase: Phase) -> Iterator[Moved]:
    """Yield the rows of a phase that the hashes would not make; what was forced or linked is no hash's row."""
    arms = list(phase.arms.using(alias()).order_by("pk"))
    keys = {arm.pk: arm.key for arm in arms}
    rows = Assignment.objects.using(alias()).filter(phase=phase, source=Assignment.Source.HASH).order_by("pk")
    for row in rows.iterator(chunk_size=CHUNK):
        arm_bucket = bucket(phase.arm_salt, row.unit_type, row.unit_id)
        expected = arm_of(arm_bucket, arms)
        problem = _problem(phase, row, arm_bucket, expected)
        if problem:
            yield Moved(row.pk, row.unit_id, keys.get(row.arm_id, ""), expected.key if expected else "", problem)


def count_moved(phase: Phase) -> int:
    """Return how many rows of a phase the hashes would not make."""
    return sum(1 for _ in moved(phase))


def _problem(phase: Phase, row: Assignment, arm_bucket: int, expected: Arm | None) -> str:
    if expected is None or row.arm_id != expected.pk:
        return "It is in another arm than its hash says."
    if row.arm_bucket != arm_bucket or row.enrol_bucket != bucket(phase.enrol_salt, row.unit_type, row.unit_id):
        return "Its buckets are others than its hashes."
    return "" if row.enrol_bucket < row.enrol_bp else "It was enrolled outside the share of that time."
