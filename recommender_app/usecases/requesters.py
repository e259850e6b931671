"""Whom a request asks for."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ObjectDoesNotExist

from recommender_app.exceptions import UserNotFound
from recommender_app.usecases.declaration import UseCase


def requesting_user(use_case: UseCase, request: Any) -> Any:
    """Return what ``get_user`` returns.

    Hosts write ``request.user.developer`` there: a login without one is a 404, not a failure.

    Raises:
        UserNotFound: the host says so, finds nobody, or returns None.
    """
    try:
        user = use_case.get_user(request)
    except ObjectDoesNotExist:
        user = None
    if user is None:
        raise UserNotFound(f"This login has no user in {use_case.key}.")
    return user
