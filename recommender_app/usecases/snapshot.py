"""One consistent view of the host's tables for a long read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connections, router, transaction
from django.db.models import Model

from recommender_app.usecases.declaration import UseCase


def tables_of(use_case: UseCase) -> list[type[Model]]:
    """Return the models that an export of the use case starts from."""
    return [use_case.users, use_case.items, *(source.model for source in use_case.sources)]


@contextlib.contextmanager
def snapshot(models: Iterable[type[Model]]) -> Iterator[None]:
    """Read everything inside the block as of one moment, without keeping writers waiting.

    PostgreSQL: one REPEATABLE READ READ ONLY transaction. Others: one transaction. Inside a
    transaction of the caller's, that transaction decides. Models on several databases are as of
    one moment per database.
    """
    with contextlib.ExitStack() as stack:
        for alias in sorted({router.db_for_read(model) for model in models}):
            stack.enter_context(_database_snapshot(alias))
        yield


@contextlib.contextmanager
def _database_snapshot(alias: str) -> Iterator[None]:
    connection = connections[alias]
    is_outermost = not connection.in_atomic_block
    with _reading_only(connection), contextlib.ExitStack() as stack:
        stack.enter_context(transaction.atomic(using=alias))
        if connection.vendor == "postgresql" and is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


@contextlib.contextmanager
def _reading_only(connection: Any) -> Iterator[None]:
    """SQLite's ``transaction_mode=IMMEDIATE`` would lock out every writer until the export ends."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    mode, connection.transaction_mode = connection.transaction_mode, "DEFERRED"
    try:
        yield
    finally:
        connection.transaction_mode = mode
