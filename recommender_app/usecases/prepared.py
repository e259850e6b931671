"""Queries of a user's interactions, compiled once per connection.

Django builds and compiles a query anew for every request, which takes longer than PostgreSQL takes
to answer it. Only the user's key differs: a ``UserKey`` keeps its place among the parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Manager, QuerySet, Value
from django.utils import timezone
from django.utils.translation import get_language

from recommender_app.usecases.declaration import Interactions

Rows = list[Sequence[Any]]
_ATTRIBUTE = "recommender_prepared"  # of a connection, because a compiler belongs to one, and so to one thread
_MOST = 64  # queries kept per connection; a host that makes new sources for every request would fill the memory


class UserKey(Value):
    """Stands for the key of a user in a query that is compiled before the user is known."""

    def __init__(self, output_field: Any) -> None:
        super().__init__(None, output_field=output_field)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        """Leave itself in the parameters."""
        return "%s", [self]

    def parameter(self, key: Any, connection: Any) -> Any:
        """Return the parameter that ``key`` is to the database."""
        return self.output_field.get_db_prep_value(key, connection)


@dataclass(frozen=True)
class _Compiled:
    """A query that waits for its user; it keeps its ``sources`` alive, and with them their ids."""

    compiler: Any
    sql: str
    parameters: tuple[Any, ...]
    sources: tuple[Interactions, ...]

    def rows(self, user_key: Any) -> Rows:
        connection = self.compiler.connection
        told = [each.parameter(user_key, connection) if isinstance(each, UserKey) else each for each in self.parameters]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, told)
            found = cursor.fetchall()
        return list(self.compiler.results_iter([found]))


def prepared_rows(
    sources: Sequence[Interactions], name: Hashable, build: Callable[[], QuerySet[Any]], user_key: Any
) -> Rows | None:
    """Return the rows that ``build()`` yields for a user; None where it has to be built for every request.

    Args:
        sources: what the query reads.
        name: everything besides the sources that makes the query what it is.
        build: returns a ``values_list`` with a ``UserKey`` in place of the user's key.
    """
    if not all(_is_plain(source.model._default_manager) for source in sources):
        return None
    connection = connections[sources[0].model._default_manager.db]
    cache: dict[Hashable, _Compiled] = vars(connection).setdefault(_ATTRIBUTE, {})
    key = (
        name,
        timezone.get_current_timezone_name(),
        get_language(),
        *map(id, sources),
    )  # expressions may look at both
    try:
        if key not in cache:
            if len(cache) >= _MOST:
                cache.clear()
            cache[key] = _compiled(build(), connection, tuple(sources))
        return cache[key].rows(user_key)
    except EmptyResultSet:  # Django sees that no row can match
        return []


def _compiled(query: QuerySet[Any], connection: Any, sources: tuple[Interactions, ...]) -> _Compiled:
    compiler = query.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    return _Compiled(compiler, sql, tuple(parameters), sources)


def _is_plain(manager: Manager[Any]) -> bool:
    """Tell whether a manager says the same in every request: a host's own may look at the thread's tenant."""
    manager_class, queryset_class = type(manager), manager._queryset_class  # type: ignore[attr-defined]
    return not any(_redefines(each, Manager) for each in manager_class.__mro__) and not any(
        _redefines(each, QuerySet) for each in queryset_class.__mro__
    )


class _Plain:
    """A class that says nothing."""


_OF_EVERY_CLASS = {*vars(_Plain), "__annotations__", "__orig_bases__", "__parameters__", "_queryset_class"}


def _redefines(each: type, base: type) -> bool:
    """Tell whether a class, mixins included, changes what ``base`` does; methods of its own change nothing."""
    if each in base.__mro__:
        return False
    return any(hasattr(base, name) for name in vars(each).keys() - _OF_EVERY_CLASS)
