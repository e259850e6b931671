"""What serving must know about database errors."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.db import DatabaseError, InterfaceError, router, transaction
from django.db.models import Model

DATABASE_ERRORS = (DatabaseError, InterfaceError)


def savepoint(model: type[Model], *, writes: bool = False) -> AbstractContextManager[Any]:
    """Return a savepoint where the host already is in a transaction, else nothing.

    An error that is caught inside somebody's ``atomic()`` would leave that transaction unusable.

    Args:
        model: whose database is meant.
        writes: the database that ``model`` is written to, where the host has another for reading.
    """
    alias = router.db_for_write(model) if writes else router.db_for_read(model)
    return transaction.atomic(using=alias) if transaction.get_connection(alias).in_atomic_block else nullcontext()
