"""Items that a user may see, and their names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.values import usable_ids
from recommender_app.usecases.visitors import host_user


def visible_items(use_case: UseCase, user: Any, ids: Iterable[Any]) -> dict[Any, Any]:
    """Return {id: item} of those ``ids`` that ``get_items(user)`` yields, in one query.

    What ``hide_after`` hides is among them: the user has met it, and it is still there.
    """
    items = use_case.get_items(host_user(user)).filter(pk__in=usable_ids(use_case, ids))
    return {item.pk: item for item in items.order_by()}


def names_of_visible(use_case: UseCase, user: Any, ids: Iterable[Any]) -> dict[Any, str]:
    """Return {id: ``str(item)``} of those ``ids`` that the user may see, in one query."""
    return {key: str(item) for key, item in visible_items(use_case, user, ids).items()}
