"""What a database undid to end a deadlock is done again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, connections

logger = logging.getLogger(__name__)
T = TypeVar("T")

ATTEMPTS = 3
SQLSTATES = ("40P01", "40001")  # deadlock detected, serialization failure
MYSQL_DEADLOCK = 1213


def past_deadlocks(compute: Callable[[], T]) -> T:
    """Return ``compute()``, a transaction of its own; again where the database chose it as the victim of a deadlock.

    Inside somebody's transaction there is no second try: what that did before would be missing.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return compute()
        except DatabaseError as error:
            if not _is_victim(error) or _is_inside_a_transaction():
                raise
            logger.info("A deadlock has undone a transaction; it is tried again.")
    return compute()


def _is_victim(error: DatabaseError) -> bool:
    cause = error.__cause__
    sqlstate = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    return sqlstate in SQLSTATES or error.args[:1] == (MYSQL_DEADLOCK,)


def _is_inside_a_transaction() -> bool:
    return any(connection.in_atomic_block for connection in connections.all(initialized_only=True))
