"""When a unit was first shown anything by its arm: from the request log, whatever engine served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from django.db import connections
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
    _store(exposed)
    return len(exposed)


def _store(rows: Sequence[Assignment]) -> None:
    """Write the moments; one statement a row, sent together: ``bulk_update`` builds a long CASE."""
    if not rows:
        return
    connection = connections[alias()]
    quote, options = connection.ops.quote_name, Assignment._meta
    field = options.get_field("first_exposed_at")
    values = [(field.get_db_prep_save(row.first_exposed_at, connection), row.pk) for row in rows]
    assert options.pk is not None
    table, column, key = (quote(str(name)) for name in (options.db_table, field.column, options.pk.column))
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {table} SET {column} = %s WHERE {key} = %s", values)  # noqa: S608  names of our own


def logged_as(row: Assignment) -> str:
    """Return what the request log calls a unit."""
    return Visitor(row.unit_id).pk if row.unit_type == Experiment.UnitType.SESSION else row.unit_id


def _unmarked(phase: Phase) -> Iterator[list[Assignment]]:
    rows = Assignment.objects.using(alias()).filter(phase=phase, first_exposed_at__isnull=True)
    found = rows.only("pk", "unit_type", "unit_id", "first_exposed_at").order_by("pk").iterator(chunk_size=CHUNK)
    while chunk := list(islice(found, CHUNK)):
        yield chunk
