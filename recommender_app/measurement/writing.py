"""Many rows into one of our tables, in as few statements and as little of this process's time as possible."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connections
from django.db.models import Model

from recommender_app.registry.database import alias

BATCH = 1_000  # rows per INSERT
IN_MEMORY, BLOCK = 16 * 2**20, 2**18  # bytes: of rows that wait, and of one message


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


class WaitingRows:
    """Rows that wait, in memory and then in a temporary file, until PostgreSQL can take them all with one COPY.

    Args:
        columns: the fields, by column name; those left out have the database's default.
    """

    def __init__(self, model: type[Model], columns: Sequence[str]) -> None:
        self._model, self._columns = model, columns
        self._file: Any = SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8", newline="")  # noqa: SIM115
        self._writer = csv.writer(self._file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add_all(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows: numbers and texts, none of them None."""
        self._writer.writerows(rows)

    def insert(self) -> None:
        """Insert them all."""
        connection = connections[alias()]
        quote = connection.ops.quote_name
        columns = ", ".join(map(quote, self._columns))
        self._file.seek(0)
        with connection.cursor() as cursor, connection.wrap_database_errors:
            statement = f"COPY {quote(self._model._meta.db_table)} ({columns}) FROM STDIN (FORMAT CSV)"
            with cursor.copy(statement) as copy:
                while block := self._file.read(BLOCK):
                    copy.write(block)
