"""When a unit was first shown anything by its arm: from the request log, whatever engine served."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Case, CharField, Exists, Min, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Concat

from recommender_app.models import Assignment, Experiment, Phase, RequestLog
from recommender_app.registry.database import alias
from recommender_app.usecases.visitors import PREFIX

CHUNK = 5_000  # units per statement: none holds its rows for long


def mark_exposed(phase: Phase) -> int:
    """Set ``first_exposed_at`` of the units that have an answer in the log, once; return how many.

    A unit is exposed by the first answer that was logged with its arm: the same place in all arms.
    Asking again changes nothing. The database does it, a chunk of units at a time: who was never
    answered costs one look into an index.
    """
    return sum(_mark(phase, rows) for rows in _unmarked(phase))


def mark_row(row: Assignment) -> None:
    """Set ``first_exposed_at`` of one row that has none, where the log has an answer."""
    if _mark(row.phase, Assignment.objects.using(alias()).filter(pk=row.pk)):
        row.refresh_from_db(fields=["first_exposed_at"])


def _mark(phase: Phase, rows: QuerySet[Assignment]) -> int:
    answers = _answers(phase).filter(user_id=OuterRef("logged_as"))
    first = answers.values("user_id").annotate(first=Min("created_at")).values("first")
    exposed = rows.annotate(logged_as=logged_as()).filter(Exists(answers))
    return exposed.update(first_exposed_at=Subquery(first))


def _answers(phase: Phase) -> QuerySet[RequestLog]:
    experiment: Experiment = phase.experiment
    rows = RequestLog.objects.using(alias()).filter(use_case=experiment.use_case)
    return rows.filter(experiment=experiment.key, phase=phase.number).order_by()


def logged_as() -> Any:
    """Return what the request log calls a unit."""
    session = When(unit_type=Experiment.UnitType.SESSION, then=Concat(Value(PREFIX), "unit_id"))
    return Case(session, default="unit_id", output_field=CharField())


def _unmarked(phase: Phase) -> Iterator[QuerySet[Assignment]]:
    rows = Assignment.objects.using(alias()).filter(phase=phase, first_exposed_at__isnull=True)
    last = 0
    while keys := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        last = keys[-1]
        yield rows.filter(pk__range=(keys[0], last))
