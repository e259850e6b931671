"""Makes rows of the spool's lines, and inserts those that the table does not hold yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import DataError, IntegrityError, router, transaction
from django.db.models import QuerySet

from recommender_app.models import RequestLog
from recommender_app.serving.spool.framing import unframed
from recommender_app.serving.spool.late import sum_up_again

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
    wanted = list({row.log.request_id: row for row in rows}.values())
    known = _known(wanted)
    new = [row for row in wanted if row.log.request_id not in known]
    failed = _failed(new)
    came_meanwhile = _known(failed)
    refused = [row for row in failed if row.log.request_id not in came_meanwhile]
    lines = {row.line for row in failed}
    return [row for row in new if row.line not in lines], refused


def _known(rows: Sequence[Row]) -> set[UUID]:
    """Return which of the rows' request ids the table holds."""
    ids = [row.log.request_id for row in rows]
    return set(_log().filter(request_id__in=ids).values_list("request_id", flat=True)) if ids else set()


def _failed(rows: list[Row]) -> list[Row]:
    """Insert the rows; return those that cannot be, found by halving.

    Not by ``ignore_conflicts``: SQLite and MySQL would leave out what is wrong in any way, and say nothing.
    """
    try:
        with transaction.atomic(using=_log().db):
            _log().bulk_create([row.log for row in rows])
            sum_up_again([row.log for row in rows])
    except REFUSALS:
        if len(rows) == 1:
            return rows
        half = len(rows) // 2
        return _failed(rows[:half]) + _failed(rows[half:])
    return []


def _log() -> QuerySet[RequestLog]:
    return RequestLog._base_manager.using(router.db_for_write(RequestLog))
