"""What one request asks, before anything is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from recommender_app.conf import settings
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.filters import Filters
from recommender_app.usecases.visitors import Visitor


@dataclass(frozen=True)
class Query:
    """A checked request.

    Attributes:
        use_case: the declaration.
        user: an instance of its ``users`` model.
        limit: how many places are wanted, 1..LIMIT_MAX.
        filters: what the items are narrowed down to; None = nothing.
        cursor: "" = one list, "first" = a first page, else where the page before it stopped.
    """

    use_case: UseCase
    user: Any
    limit: int
    filters: Filters | None = None
    cursor: str = ""


def checked_query(
    use_case: UseCase, user: Any, limit: int | None, filters: Filters | None = None, cursor: str = ""
) -> Query:
    """Return the query with its defaults filled in.

    Raises:
        TypeError: the user is an id, a name, None, or an object of another model.
        ValueError: the limit is out of range.
    """
    if not _is_user(use_case, user):
        wanted = f"give an instance of {use_case.users.__name__}"
        raise TypeError(f"A {type(user).__name__} is no user of {use_case.key}: {wanted}.")
    return Query(use_case, user, checked_limit(limit), filters, cursor)


def _is_user(use_case: UseCase, user: Any) -> bool:
    """Tell whether an object is of the ``users`` model, of a proxy of it, or of one that it inherits from."""
    if isinstance(user, (Visitor, use_case.users)):
        return True
    concrete = getattr(getattr(user, "_meta", None), "concrete_model", None)
    return isinstance(user, Model) and concrete is not None and issubclass(use_case.users, concrete)


def checked_limit(limit: int | None) -> int:
    """Return the limit, LIMIT_DEFAULT if None.

    Raises:
        ValueError: it is out of range.
    """
    limit = settings.LIMIT_DEFAULT if limit is None else limit
    if not 1 <= limit <= settings.LIMIT_MAX:
        raise ValueError(f"limit must be between 1 and {settings.LIMIT_MAX}, not {limit}.")
    return limit
