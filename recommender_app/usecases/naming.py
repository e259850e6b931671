"""Names of items that a user may see."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from recommender_app.usecases.attributes import usable_ids
from recommender_app.usecases.declaration import UseCase


def names_of_visible(use_case: UseCase, user: Any, ids: Iterable[Any]) -> dict[Any, str]:
    """Return {id: ``str(item)``} of those ``ids`` that ``get_items(user)`` yields, in one query.

    What ``hide_after`` hides may be named: the user has met it, and it is still there.
    """
    items = use_case.get_items(user).filter(pk__in=usable_ids(use_case, ids))
    return {item.pk: str(item) for item in items.order_by()}
