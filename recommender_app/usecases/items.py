"""One item, named by whoever asks."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from recommender_app.exceptions import ItemNotFound
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.visitors import host_user

_INTEGER = re.compile(r"-?[0-9]{1,18}\Z", re.ASCII)


def visible_item_id(use_case: UseCase, user: Any, item: Any) -> Any:
    """Return the primary key that ``item`` (a key, or its text) means, in the host's type; one query.

    ``hide_after`` does not count: whoever has applied to a start-up may still look at it.

    Raises:
        ItemNotFound: no item can have such a key, there is none, or ``get_items(user)`` lacks it.
    """
    key = item_key(use_case, item)
    if key is None or not use_case.get_items(host_user(user)).filter(pk=key).exists():
        raise ItemNotFound(f"There is no such item in {use_case.key}.")
    return key


def item_key(use_case: UseCase, item: Any) -> Any:
    """Return ``item`` as a primary key of the item model; None where it cannot be one."""
    try:
        key = use_case.items._meta.pk.to_python(item)
    except (ValidationError, ValueError, OverflowError):
        return None
    return key if _is_plain(item, key) else None


def _is_plain(item: Any, key: Any) -> bool:
    """Tell whether text says its key plainly: digits for a number, characters that a database can hold."""
    if not isinstance(item, str):
        return key is not None
    if isinstance(key, int):
        return bool(_INTEGER.match(item))
    if isinstance(key, UUID):
        return item.isascii()
    is_storable = "\0" not in item and not any("\ud800" <= character <= "\udfff" for character in item)
    return key is not None and is_storable
