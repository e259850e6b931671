"""Whom a request asks for."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404

from recommender_app.exceptions import UserNotFound
from recommender_app.usecases.declaration import UseCase

FOR = "for"  # query parameter: primary key of the user that is meant
SHOWN = 64  # characters of what a stranger wrote that reach the log

security = logging.getLogger("recommender_app.security")


def requesting_user(use_case: UseCase, request: Any) -> Any:
    """Return what ``get_user`` returns; a login that names another's user leaves a line in the security log.

    Raises:
        UserNotFound: the host says so, finds nobody, or returns None.
    """
    try:
        return own_user(use_case, request)
    except UserNotFound:
        if named_user(use_case, request) is not None:
            log_refusal(use_case, request)
        raise


def own_user(use_case: UseCase, request: Any) -> Any:
    """Return what ``get_user`` returns.

    Hosts write ``request.user.developer`` or ``get_object_or_404`` there: a login without one is a 404, not a failure.

    Raises:
        UserNotFound: the host says so, finds nobody, or returns None.
    """
    try:
        user = use_case.get_user(request)
    except (ObjectDoesNotExist, Http404):
        user = None
    if user is None:
        raise UserNotFound(f"This login has no user in {use_case.key}.")
    return user


def named_user(use_case: UseCase, request: Any) -> str | None:
    """Return the key that the request names, as it was written; None where it names nobody, or nobody may be named."""
    name: str | None = request.GET.get(FOR) if FOR in use_case.parameters else None
    return name


def log_refusal(use_case: UseCase, request: Any) -> None:
    """Note that a login asked for somebody else, or for nobody."""
    wanted = named_user(use_case, request) or ""
    security.warning("Account %s was refused the user %a of %s.", request.user.pk, wanted[:SHOWN], use_case.key)
