"""The row of an answer as plain values, and one INSERT of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db import connections, router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field
from django.utils import timezone

from recommender_app.models import RequestLog
from recommender_app.serving.answer import Answer, Result
from recommender_app.serving.database import retried, savepoint

Values = dict[str, Any]  # by field name; what is left out has the field's default


def values_of(answer: Answer) -> Values:
    """Return the row of an answer; a later page names the first one as its ``candidate_source``."""
    return {
        "request_id": answer.request_id,
        "use_case": answer.use_case,
        "user_id": answer.user_id,
        "requested_limit": answer.limit,
        "n_results": len(answer.results),
        "results": [_logged(result) for result in answer.results],
        "engine": answer.engine,
        "model_version": answer.model_version,
        "release": answer.release,
        "fallback_reason": answer.fallback_reason,
        "policy": answer.policy,
        "interaction_count": answer.interaction_count,
        "experiment": answer.experiment or None,
        "phase": answer.phase,
        "arm": answer.arm or None,
        "latency_ms": answer.latency_ms,
        "diversity": answer.diversity,
        "engine_ms": dict(answer.engine_ms),
        "candidate_source": answer.candidate_source or (answer.slate.hex if answer.slate else None),
        "created_at": timezone.now(),
    }


def insert(values: Values) -> None:
    """Insert one row, in a savepoint where the host is in a transaction; else the INSERT commits itself.

    The statement is put together once per database. ``save()`` would send signals that nobody
    waits for, and BEGIN and COMMIT, which cost a round trip each.

    Raises:
        DatabaseError: the database refuses. Only a dead connection gets a second try.
    """
    connection = connections[router.db_for_write(RequestLog)]
    with savepoint(RequestLog, writes=True):
        retried(lambda: _execute(connection, values))


def _execute(connection: BaseDatabaseWrapper, values: Values) -> None:
    sql = _statement(connection.alias, connection.vendor)
    parameters = [field.get_db_prep_save(_value(field, values), connection) for field in _fields()]
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


@cache
def _fields() -> tuple[Field[Any, Any], ...]:
    return tuple(field for field in RequestLog._meta.concrete_fields if not field.primary_key)


@cache
def _statement(alias: str, _vendor: str) -> str:
    quoted = connections[alias].ops.quote_name
    columns = ", ".join(quoted(str(field.column)) for field in _fields())
    places = ", ".join(["%s"] * len(_fields()))
    return f"INSERT INTO {quoted(RequestLog._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608  names of ours


def _value(field: Field[Any, Any], values: Mapping[str, Any]) -> Any:
    return values[field.attname] if field.attname in values else field.get_default()


def _logged(result: Result) -> dict[str, Any]:
    place = {"item": str(result.id), "rank": result.rank, "score": result.score, "source": result.source}
    return place if result.propensity is None else {**place, "propensity": result.propensity}
