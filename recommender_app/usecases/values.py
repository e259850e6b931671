"""Values from elsewhere (a form, an artifact, a setting) as values that a column of the host can hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connections, router
from django.db.models import CharField, IntegerField, TextField

from recommender_app.usecases.declaration import UseCase


def usable_ids(use_case: UseCase, ids: Iterable[Any]) -> list[Any]:
    """Return ids, which may be text, as keys of the item model; those that cannot be one are left out."""
    return usable_values(use_case.items._meta.pk, ids)


def usable_values(field: Any, values: Iterable[Any]) -> list[Any]:
    """Return values in the type of a model field; what its column cannot hold, and None, are left out.

    ``to_python`` alone lets numbers and text through that make a whole query fail: 10**30 for an
    integer on SQLite, a NUL character on PostgreSQL.
    """
    while field.is_relation:
        field = field.target_field
    connection = connections[router.db_for_read(field.model)]
    converted = (_converted(field, value, connection) for value in values)
    return [value for value in converted if value is not None]


def are_told_apart(use_case: UseCase) -> bool:
    """Tell whether the database holds two items' keys for equal only where Python does.

    Text may have a collation that ignores case or accents: what is hidden by another spelling, only
    the database knows. PostgreSQL and SQLite have one only in a column that asks for it.
    """
    field: Any = use_case.items._meta.pk
    while field.is_relation:
        field = field.target_field
    if not isinstance(field, CharField | TextField):
        return True
    connection = connections[router.db_for_read(field.model)]
    return not field.db_collation and connection.vendor in ("postgresql", "sqlite")


def _converted(field: Any, value: Any, connection: Any) -> Any:
    """Return the value in the field's type; None where the column cannot hold it."""
    try:
        found = field.to_python(value)
        field.get_db_prep_value(found, connection)
        return found if _fits(field, found, connection) else None
    except (ValidationError, ValueError, TypeError, ArithmeticError):
        return None


def _fits(field: Any, value: Any, connection: Any) -> bool:
    if isinstance(value, str):
        value.encode()  # UnicodeEncodeError is a ValueError
        return "\0" not in value
    if isinstance(field, IntegerField):
        least, most = connection.ops.integer_field_range(field.get_internal_type())
        return (least is None or value >= least) and (most is None or value <= most)
    return True
