"""The two statements of an assignment, put together once per database: every request makes the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connections, router
from django.db.models import Field
from django.db.models.constants import OnConflict

from recommender_app.models import Assignment


def select_arms(phases: Sequence[int], unit_type: str, unit_id: str) -> list[tuple[int, int]]:
    """Return (phase, arm) of a unit's rows in some phases, oldest first; from the database that rows are written to."""
    alias = router.db_for_write(Assignment)
    with connections[alias].cursor() as cursor:
        cursor.execute(_select(alias, len(phases)), [*phases, unit_type, unit_id])
        return list(cursor.fetchall())


def insert_unless_there(row: Assignment) -> bool:
    """Insert a row unless the unit has one in the phase; tell whether it was inserted. It commits itself."""
    alias = router.db_for_write(Assignment)
    connection = connections[alias]
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in _fields()]
    with connection.cursor() as cursor:
        cursor.execute(_insert(alias), values)
        return bool(cursor.rowcount > 0)


@cache
def _fields() -> tuple[Field[Any, Any], ...]:
    return tuple(field for field in Assignment._meta.concrete_fields if not field.primary_key)


@cache
def _select(alias: str, n_phases: int) -> str:
    places = ", ".join(["%s"] * n_phases)
    names = _quoted(alias, "id", "phase_id", "arm_id", "unit_type", "unit_id")
    key, phase, arm, unit_type, unit_id = names
    return (
        f"SELECT {phase}, {arm} FROM {_table(alias)} WHERE {phase} IN ({places}) "  # noqa: S608  names of ours
        f"AND {unit_type} = %s AND {unit_id} = %s ORDER BY {key}"
    )


@cache
def _insert(alias: str) -> str:
    operations = connections[alias].ops
    columns = ", ".join(_quoted(alias, *(str(field.column) for field in _fields())))
    places = ", ".join(["%s"] * len(_fields()))
    verb = operations.insert_statement(on_conflict=OnConflict.IGNORE)
    suffix = operations.on_conflict_suffix_sql(list(_fields()), OnConflict.IGNORE, [], [])
    return f"{verb} {_table(alias)} ({columns}) VALUES ({places}) {suffix}"


def _table(alias: str) -> str:
    return _quoted(alias, Assignment._meta.db_table)[0]


def _quoted(alias: str, *names: str) -> list[str]:
    return [connections[alias].ops.quote_name(name) for name in names]
