"""The queries of an export as PostgreSQL can answer them fastest: COPY of rows of fixed width.

Works for keys that are UUIDs or integers and for times with a time zone, over psycopg 3. For
everything else (text keys, other databases) there are the queries of ``exporting``. Not through
ADBC, which would need a second connection, an exported snapshot and one more dependency.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import (
    BigIntegerField,
    Case,
    F,
    FloatField,
    QuerySet,
    SmallIntegerField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Collate

from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.exporting import Window, interaction_sources
from recommender_app.usecases.rows import EVENT, ITEM, STRENGTH, TIME, USER

Kind = Literal["int", "uuid"]

NO_EVENT = -1  # the code of an event that is none of the use case's
TIME_TYPE = "timestamp with time zone"
NO_ROWS = "SELECT WHERE false"
KINDS: dict[str, Kind] = {"uuid": "uuid", "smallint": "int", "integer": "int", "bigint": "int"}
_EXACT, _CODE = "recommender_exact", "recommender_code"


@dataclass(frozen=True)
class ColumnQueries:
    """The sources of a use case, ready to be copied.

    Attributes:
        users, items: what their keys are.
        interactions: per source a query of user, item (int8 or uuid), position of the event in the
            weights (int2, NO_EVENT for another), strength (float8, NaN for NULL), time (timestamptz).
        item_ids: a query of the keys of all items that exist.
    """

    users: Kind
    items: Kind
    interactions: tuple[QuerySet[Any], ...]
    item_ids: QuerySet[Any]


def column_queries(use_case: UseCase, window: Window) -> ColumnQueries | None:
    """Return the queries, or None where one of them cannot be answered in rows of fixed width."""
    sources = tuple(interaction_sources(use_case, window))
    keys = use_case.items._default_manager.order_by().annotate(**{ITEM: F("pk")})
    if not sources or not all(can_copy(rows) for rows in (*sources, keys)):
        return None
    users = {_kind(rows, USER) for rows in sources}
    items = {_kind(rows, ITEM) for rows in (*sources, keys)}
    has_times = all(_db_type(rows, TIME) == TIME_TYPE for rows in sources)
    if len(users) > 1 or len(items) > 1 or not has_times or not settings.USE_TZ:
        return None
    user_kind, item_kind = users.pop(), items.pop()
    if user_kind is None or item_kind is None:
        return None
    interactions = tuple(_columns(rows, use_case, user_kind, item_kind) for rows in sources)
    item_ids = keys.annotate(recommender_key=_key(ITEM, item_kind)).values_list("recommender_key")
    return ColumnQueries(user_kind, item_kind, interactions, item_ids)


@contextlib.contextmanager
def copied(rows: QuerySet[Any], *, as_lines: bool = False) -> Iterator[Iterator[Any]]:
    """Run a query as COPY on Django's own connection, so in its transaction and snapshot: binary messages.

    Must run inside a transaction; until the block ends the connection answers no other query.
    A ``statement_timeout`` made for web requests does not end it: one COPY takes as long as all
    the short FETCHes of an iterator together. Without JIT, which takes seconds and saves none here.

    Args:
        as_lines: yield each row as a line of text.
    """
    connection = connections[rows.db]
    try:
        sql, parameters = rows.query.get_compiler(using=rows.db).as_sql()
    except EmptyResultSet:  # Django sees that no row can match
        sql, parameters = NO_ROWS, ()
    statement = f"COPY ({_inlined(connection, sql, parameters)}) TO STDOUT (FORMAT {'TEXT' if as_lines else 'BINARY'})"
    with (
        connection.cursor() as cursor,
        _meanwhile(cursor, statement_timeout="0", jit="off"),
        connection.wrap_database_errors,
        cursor.copy(statement) as copy,
    ):
        yield iter(copy)


def can_copy(rows: QuerySet[Any]) -> bool:
    """Tell whether ``copied`` works where the rows are."""
    connection = connections[rows.db]
    if connection.vendor != "postgresql":
        return False
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    return bool(is_psycopg3)


def _kind(rows: QuerySet[Any], name: str) -> Kind | None:
    return KINDS.get(_db_type(rows, name))


def _db_type(rows: QuerySet[Any], name: str) -> str:
    """Return the column's type, "" where Python would get something else than the column holds."""
    connection, expression = connections[rows.db], rows.query.annotations[name]
    field: Any = expression.output_field
    while field.is_relation:
        field = field.target_field
    if expression.get_db_converters(connection) or field.get_db_converters(connection):
        return ""
    return str(field.rel_db_type(connection))


def _columns(rows: QuerySet[Any], use_case: UseCase, users: Kind, items: Kind) -> QuerySet[Any]:
    columns = {
        "recommender_user_key": _key(USER, users),
        "recommender_item_key": _key(ITEM, items),
        _CODE: _event_code(use_case),
        "recommender_number": Coalesce(F(STRENGTH), Value(float("nan")), output_field=FloatField()),
        "recommender_moment": F(TIME),
    }
    # A collation may hold "View" equal to "view", Python does not: compare the bytes.
    return rows.alias(**{_EXACT: Collate(F(EVENT), "C")}).annotate(**columns).values_list(*columns)


def _key(name: str, kind: Kind) -> Any:
    return F(name) if kind == "uuid" else Cast(F(name), BigIntegerField())


def _event_code(use_case: UseCase) -> Any:
    cases = (When(**{_EXACT: name}, then=Value(code)) for code, name in enumerate(use_case.weights))
    return Cast(Case(*cases, default=Value(NO_EVENT)), SmallIntegerField())


def _inlined(connection: Any, sql: str, parameters: Any) -> str:
    """COPY takes no parameters: have psycopg quote them, as Django's default cursor does anyway."""
    import psycopg

    return psycopg.ClientCursor(connection.connection).mogrify(sql, parameters)


@contextlib.contextmanager
def _meanwhile(cursor: Any, **values: str) -> Iterator[None]:
    """Have settings of PostgreSQL until the block ends; an error ends the transaction, and them with it."""
    before = {}
    for name, value in values.items():
        cursor.execute("SELECT current_setting(%s), set_config(%s, %s, true)", [name, name, value])
        before[name] = cursor.fetchone()[0]
    yield
    for name, value in before.items():
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
