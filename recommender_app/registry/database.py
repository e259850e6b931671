"""The database that the registry is in: a host's router may keep the app's tables apart from its own."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError, InterfaceError, connections, router, transaction
from django.db.models import Model
from django.db.models.functions import Now
from django.db.models.sql import Query

from recommender_app.models import Release

DATABASE_ERRORS = (DatabaseError, InterfaceError)


def alias() -> str:
    """Return the name of the database that the app's tables are written to."""
    return router.db_for_write(Release)


def atomic() -> Any:
    """Return a transaction of that database, for ``with``."""
    return transaction.atomic(using=alias())


def savepoint(model: type[Model], *, writes: bool = False) -> AbstractContextManager[Any]:
    """Return a savepoint where the host already is in a transaction, else nothing.

    An error that is caught inside somebody's ``atomic()`` would leave that transaction unusable.

    Args:
        model: whose database is meant.
        writes: the database that ``model`` is written to, where the host has another for reading.
    """
    alias = router.db_for_write(model) if writes else router.db_for_read(model)
    return transaction.atomic(using=alias) if transaction.get_connection(alias).in_atomic_block else nullcontext()


def current_time() -> datetime:
    """Return the database's clock, as ``Now()``: the same for every process, whatever their own clocks say."""
    sql, parameters = Query(None).get_compiler(using=alias()).compile(Now())
    with connections[alias()].cursor() as cursor:
        cursor.execute(f"SELECT {sql}", parameters)
        moment = cursor.fetchone()[0]
    if isinstance(moment, str):  # SQLite
        moment = datetime.fromisoformat(moment)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
