"""What serving must know of databases that fail."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from recommender_app.registry.database import DATABASE_ERRORS, savepoint
from recommender_app.serving.circuit import CircuitBreaker

logger = logging.getLogger(__name__)
T = TypeVar("T")

__all__ = ["DATABASE_ERRORS", "NONSENSE", "guarded", "retried", "savepoint"]

NONSENSE = (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)  # of rows that were edited by hand
N_FAILED_CONNECTIONS, WINDOW_SECONDS, PAUSE_SECONDS = 3, 10.0, 5.0

_breakers: dict[str, CircuitBreaker] = {}  # by database alias


def retried(compute: Callable[[], T]) -> T:
    """Return ``compute()``; once more, on a fresh connection, if its connection turned out to be dead.

    A server that restarts or fails over kills the connections that are open. Inside a
    transaction there is no second try: what it did before would be missing.
    """
    try:
        return compute()
    except DATABASE_ERRORS:
        if not _close_dead_connections():
            raise
    return compute()


@contextmanager
def guarded() -> Iterator[None]:
    """Let no request of this block wait for a database that cannot be reached.

    After 3 failed connections in 10 seconds, none is tried for 5 seconds: each attempt fails at
    once, whoever makes it (the host's authentication, too), and one attempt then finds out.
    Connections that are open go on working. Django has no hook before a connection is made, so
    ``connect`` is wrapped for the time of the block, in this thread's connections only, as
    ``django.test`` does it.
    """
    with ExitStack() as stack:
        for connection in connections.all():
            if "connect" not in vars(connection):  # not within another guard, nor refused by django.test
                stack.enter_context(_guard(connection))
        yield


def states() -> dict[str, str]:
    """Return {database alias: "closed" (in use), "open" (left alone) or "trial"}."""
    return {alias: breaker.state for alias, breaker in sorted(_breakers.items())}


def forget() -> None:
    """Drop everything that was noted."""
    _breakers.clear()


@contextmanager
def _guard(connection: BaseDatabaseWrapper) -> Iterator[None]:
    connect = connection.connect

    def connect_or_refuse() -> None:
        _connect(connection, connect)

    vars(connection)["connect"] = connect_or_refuse
    try:
        yield
    finally:
        del vars(connection)["connect"]


def _connect(connection: BaseDatabaseWrapper, connect: Callable[[], None]) -> None:
    alias = connection.alias
    breaker = _breakers.setdefault(alias, CircuitBreaker(N_FAILED_CONNECTIONS, WINDOW_SECONDS, PAUSE_SECONDS))
    if not breaker.allows():
        raise OperationalError(f"The database {alias} could not be reached a moment ago and is not tried now.")
    try:
        with connection.wrap_database_errors:
            connect()
    except DATABASE_ERRORS as error:
        if breaker.failed():
            logger.error("The database %s is not tried for %s seconds: %s", alias, PAUSE_SECONDS, error)  # noqa: TRY400
        raise
    if breaker.succeeded():
        logger.warning("The database %s can be reached again.", alias)


def _close_dead_connections() -> bool:
    """Close connections on which an error occurred and that answer no more; return whether there were any."""
    was_closed = False
    for connection in connections.all(initialized_only=True):
        if connection.connection is None or connection.in_atomic_block or not connection.errors_occurred:
            continue
        connection.close_if_unusable_or_obsolete()
        was_closed = was_closed or connection.connection is None
    return was_closed
