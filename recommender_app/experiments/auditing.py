"""Every stored assignment hashed again: on a small site, the only way to see that units were moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Exists, OuterRef, QuerySet

from recommender_app.experiments.hashing import arm_of, bucket
from recommender_app.experiments.phases import RunningArm, RunningPhase, phase_of
from recommender_app.models import Assignment, Experiment, IdentityLink, Phase
from recommender_app.registry.database import alias

CHUNK = 2_000  # rows at a time
OTHER_ARM = "It is in another arm than its hash says."
OTHER_BUCKETS = "Its buckets are others than its hashes."
OUTSIDE_SHARE = "It was enrolled outside the share of that time."
OUTSIDE_LAYER = "It is outside the experiment's part of the layer."
NO_SESSION = "No session of the user was in the arm that was taken over."


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


class _Row(NamedTuple):
    """What is looked at of an assignment."""

    pk: int
    unit_type: str
    unit_id: str
    arm_id: int
    enrol_bucket: int
    arm_bucket: int
    enrol_bp: int


def moved(phase: Phase) -> Iterator[Moved]:
    """Yield the rows of a phase that the hashes would not make.

    What was forced is nobody's hash; an arm that was taken over at a login must be that of a session of the user.
    """
    hashed = phase_of(phase)
    keys = {arm.pk: arm.key for arm in hashed.arms}
    hashes = Assignment.objects.using(alias()).filter(phase=phase, source=Assignment.Source.HASH).order_by("pk")
    rows = hashes.values_list(*_Row._fields)
    for row in map(_Row._make, rows.iterator(chunk_size=CHUNK)):
        expected = arm_of(bucket(hashed.arm_salt, row.unit_type, row.unit_id), hashed.arms)
        problem = _problem(hashed, row, expected)
        if problem:
            yield Moved(row.pk, row.unit_id, keys.get(row.arm_id, ""), expected.key if expected else "", problem)
    for linked in _without_session(phase).iterator(chunk_size=CHUNK):
        yield Moved(linked.pk, linked.unit_id, keys.get(linked.arm_id, ""), "", NO_SESSION)


def count_moved(phase: Phase) -> int:
    """Return how many rows of a phase the hashes would not make."""
    return sum(1 for _ in moved(phase))


def count_rows(phase: Phase) -> int:
    """Return how many rows of a phase there are to audit."""
    return Assignment.objects.using(alias()).filter(phase=phase).exclude(source=Assignment.Source.FORCED).count()


def _problem(phase: RunningPhase, row: _Row, expected: RunningArm | None) -> str:
    if expected is None or row.arm_id != expected.pk:
        return OTHER_ARM
    buckets = [bucket(salt, row.unit_type, row.unit_id) for salt in (phase.enrol_salt, phase.arm_salt)]
    if [row.enrol_bucket, row.arm_bucket] != buckets:
        return OTHER_BUCKETS
    if row.enrol_bucket >= row.enrol_bp:
        return OUTSIDE_SHARE
    return "" if phase.is_in_layer(row.unit_type, row.unit_id) else OUTSIDE_LAYER


def _without_session(phase: Phase) -> QuerySet[Assignment]:
    """Return the rows that were taken over from a session that was in no such arm."""
    rows = Assignment.objects.using(alias()).filter(phase=phase)
    # From the row to its user's links to their sessions, each by an index; the other way round is quadratic.
    session = rows.filter(
        unit_type=Experiment.UnitType.SESSION, unit_id=OuterRef("session"), arm=OuterRef(OuterRef("arm"))
    )
    links = IdentityLink.objects.filter(use_case=phase.experiment.use_case, user_id=OuterRef("unit_id"))
    return rows.filter(~Exists(links.filter(Exists(session))), source=Assignment.Source.LINKED).order_by("pk")
