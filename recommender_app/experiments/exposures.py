"""When a unit was first shown anything by its arm: from the request log, whatever engine served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from django.db.models import Min

from recommender_app.models import Assignment, Experiment, Phase, RequestLog
from recommender_app.registry.database import alias
from recommender_app.usecases.visitors import Visitor

CHUNK = 500  # units per question to the log


def mark_exposed(phase: Phase) -> int:
    """Set ``first_exposed_at`` of the units that have an answer in the log, once; return how many.

    A unit is exposed by the first answer that was logged with its arm: the same place in all arms.
    Asking again changes nothing. Bounded memory: a chunk of units at a time.
    """
    return sum(mark_rows(phase, rows) for rows in _unmarked(phase))


def mark_rows(phase: Phase, rows: Sequence[Assignment]) -> int:
    """Set ``first_exposed_at`` of rows of a phase that have none, where the log has an answer; return how many."""
    experiment: Experiment = phase.experiment
    answers = RequestLog.objects.using(alias()).filter(
        use_case=experiment.use_case,
        user_id__in=[logged_as(row) for row in rows],
        experiment=experiment.key,
        phase=phase.number,
    )
    firsts = dict(
        answers.order_by().values("user_id").annotate(first=Min("created_at")).values_list("user_id", "first")
    )
    exposed = [row for row in rows if logged_as(row) in firsts]
    for row in exposed:
        row.first_exposed_at = firsts[logged_as(row)]
    Assignment.objects.using(alias()).bulk_update(exposed, ["first_exposed_at"], batch_size=CHUNK)
    return len(exposed)


def logged_as(row: Assignment) -> str:
    """Return what the request log calls a unit."""
    return Visitor(row.unit_id).pk if row.unit_type == Experiment.UnitType.SESSION else row.unit_id


def _unmarked(phase: Phase) -> Iterator[list[Assignment]]:
    rows = Assignment.objects.using(alias()).filter(phase=phase, first_exposed_at__isnull=True)
    found = rows.only("pk", "unit_type", "unit_id", "first_exposed_at").order_by("pk").iterator(chunk_size=CHUNK)
    while chunk := list(islice(found, CHUNK)):
        yield chunk
