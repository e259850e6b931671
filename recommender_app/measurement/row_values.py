"""Values of rows, read with as little of this process's time as possible."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.models import BigIntegerField, Func, JSONField, QuerySet

from recommender_app.measurement.days import aware
from recommender_app.registry.database import alias


class WholeRow(Func):
    """All columns as one JSON list: a driver takes many times longer for a dozen values than for one."""

    function = "JSON_BUILD_ARRAY"
    template = "%(function)s(%(expressions)s)::text"
    output_field = JSONField()


class Microseconds(Func):
    """A moment as microseconds since 1970."""

    template = "(EXTRACT(EPOCH FROM %(expressions)s) * 1000000)::bigint"
    arity = 1
    output_field = BigIntegerField()


def values_of(rows: QuerySet[Any, Any], moment: str, *columns: Any) -> QuerySet[Any, Any]:
    """Return rows as lists that begin with a moment, to be read by ``moment_of``."""
    if is_postgresql() and settings.USE_TZ:
        return rows.values_list(WholeRow(Microseconds(moment), *columns), flat=True)
    return rows.values_list(moment, *columns)


def moment_of(value: Any) -> datetime:
    """Return the moment that ``values_of`` has read."""
    return datetime.fromtimestamp(value / 1e6, UTC) if isinstance(value, int) else aware(value)


def is_postgresql() -> bool:
    """Tell where our tables are."""
    return connections[alias()].vendor == "postgresql"
