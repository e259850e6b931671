"""Whose lists a login may read: its own; with a permission, anybody's."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import IsAuthenticated

from recommender_app.exceptions import UserNotFound
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.requesters import log_refusal, named_user, own_user, requesting_user, security
from recommender_app.usecases.site import all_use_cases
from recommender_app.usecases.users import find_users
from recommender_app.usecases.values import usable_values

READ_ANY_LIST = "recommender_app.view_requestlog"  # whoever sees the log sees what everybody is shown


class MayVisit(IsAuthenticated):
    """Whoever has logged in, and anybody where the use case says ``allow_anonymous_lists``."""

    declared_as = "allow_anonymous_lists"

    def has_permission(self, request: Any, view: Any) -> bool:
        """Return whether the requester may come at all."""
        if super().has_permission(request, view):
            return True
        return any(getattr(each, self.declared_as) for each in all_use_cases() if each.key == view.kwargs["use_case"])


def is_logged_in(request: Any) -> bool:
    """Tell whether there is a login; REST framework may be set to have no user at all without one."""
    return bool(request.user and request.user.is_authenticated)


def may_read_any_list(account: Any) -> bool:
    """Return whether a login is staff and was given the permission; being staff alone is not enough."""
    return bool(getattr(account, "is_staff", False) and account.has_perm(READ_ANY_LIST))


def listed_user(use_case: UseCase, request: Any) -> tuple[Any, bool]:
    """Return whose list a request reads, and whether it is the login's own: only then it is an exposure.

    Raises:
        UserNotFound: as ``posting_user``, unless the login may read everybody's lists.
    """
    wanted = named_user(use_case, request)
    if wanted is not None and _own(use_case, request, wanted) is None and may_read_any_list(request.user):
        for user in find_users(use_case, _keys(use_case, wanted)):
            security.info("Account %s reads a list of the user %s of %s.", request.user.pk, user.pk, use_case.key)
            return user, False
    return posting_user(use_case, request), True


def posting_user(use_case: UseCase, request: Any) -> Any:
    """Return the login's own user, the one named by ``?for=<key>`` where it has several.

    Somebody else's key, one that does not exist and one that makes no sense get the same answer.

    Raises:
        UserNotFound: the login has no such user.
    """
    wanted = named_user(use_case, request)
    if wanted is None:
        return requesting_user(use_case, request)
    user = _own(use_case, request, wanted)
    if user is None:
        log_refusal(use_case, request)
        raise UserNotFound(f"This login has no such user in {use_case.key}.")
    return user


def _own(use_case: UseCase, request: Any, wanted: str) -> Any:
    """Return the login's user if it is the wanted one; a host that reads no ``for`` cannot answer for another."""
    try:
        user = own_user(use_case, request)
    except UserNotFound:
        return None
    return user if _keys(use_case, wanted) == [user.pk] else None


def _keys(use_case: UseCase, text: str) -> list[Any]:
    return usable_values(use_case.users._meta.pk, [text])
