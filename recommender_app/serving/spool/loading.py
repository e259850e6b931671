"""Makes rows of the spool's lines, and inserts those that the table does not hold yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DataError, IntegrityError, router, transaction

from recommender_app.models import RequestLog
from recommender_app.serving.spool.framing import unframed

# What a database says to one row that it cannot hold; other errors are about all of them.
REFUSALS = (DataError, IntegrityError, ValueError, TypeError, OverflowError)


@dataclass(frozen=True)
class Row:
    """A line of the spool and the unsaved row that it means."""

    line: bytes
    log: RequestLog


def row_of(line: bytes) -> RequestLog | None:
    """Return the unsaved row of a line; None where it cannot be read. Fields of other versions are left out."""
    values = unframed(line)
    if values is None:
        return None
    known = {field.attname for field in RequestLog._meta.concrete_fields}
    return RequestLog(**{name: value for name, value in values.items() if name in known})


def added(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Insert the rows that are not in the table.

    Returns:
        those that are now, and those that the table cannot hold.

    Raises:
        DatabaseError: the table takes nothing.
    """
    alias = router.db_for_write(RequestLog)
    wanted = {row.log.request_id: row for row in rows}
    stored = RequestLog._base_manager.using(alias).filter(request_id__in=list(wanted))
    for request_id in stored.values_list("request_id", flat=True):
        del wanted[request_id]
    refused = _refused(list(wanted.values()), alias)
    lines = {row.line for row in refused}
    return [row for row in wanted.values() if row.line not in lines], refused


def _refused(rows: list[Row], alias: str) -> list[Row]:
    """Insert the rows; return those that cannot be, found by halving."""
    try:
        with transaction.atomic(using=alias):
            RequestLog._base_manager.using(alias).bulk_create([row.log for row in rows], ignore_conflicts=True)
    except REFUSALS:
        if len(rows) == 1:
            return rows
        half = len(rows) // 2
        return _refused(rows[:half], alias) + _refused(rows[half:], alias)
    return []
