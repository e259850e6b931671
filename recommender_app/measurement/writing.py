"""Many rows into one of our tables, in as few statements and as little of this process's time as possible."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections
from django.db.models import Model

from recommender_app.registry.database import alias

BATCH = 1_000  # rows per INSERT


def insert_rows(model: type[Model], rows: list[Any]) -> None:
    """Insert unsaved rows; no signals, and their keys are not read back.

    PostgreSQL takes a batch as one JSON text. To convert twenty-odd values of each row one by one
    takes the driver several times as long.
    """
    if connections[alias()].vendor != "postgresql":
        model._default_manager.using(alias()).bulk_create(rows, batch_size=BATCH)
        return
    for start in range(0, len(rows), BATCH):
        _insert_as_json(model, rows[start : start + BATCH])


def _insert_as_json(model: type[Model], rows: list[Any]) -> None:
    connection = connections[alias()]
    quote = connection.ops.quote_name
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    values = [{field.column: getattr(row, field.attname) for field in fields} for row in rows]
    table, columns = quote(model._meta.db_table), ", ".join(quote(str(field.column)) for field in fields)
    statement = (  # names of our own; the values are one parameter
        f"INSERT INTO {table} ({columns}) "  # noqa: S608
        f"SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s::json)"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(values, cls=DjangoJSONEncoder)])
