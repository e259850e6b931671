"""Mistakes in what the host plugs into a use case: filters, serializer, ``get_user``."""

from __future__ import annotations

from inspect import signature
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from recommender_app.checks.filtersets import filterset_problems
from recommender_app.checks.messages import error
from recommender_app.usecases.declaration import UseCase


def plugged_problems(use_case: UseCase) -> list[CheckMessage]:
    """Return what is wrong with the classes and methods of the host."""
    return [*filterset_problems(use_case), *_serializer(use_case), *_get_user(use_case), *_signatures(use_case)]


def _serializer(use_case: UseCase) -> list[CheckMessage]:
    declared: Any = use_case.item_serializer
    if declared is None:
        return []
    from rest_framework.serializers import BaseSerializer

    hint = "Write a serializer class of Django REST framework, or its dotted path."
    if isinstance(declared, str):
        try:
            declared = import_string(declared)
        except ImportError as problem:
            return [error(51, use_case, f"item_serializer cannot be imported: {problem}.", hint)]
    if isinstance(declared, type) and issubclass(declared, BaseSerializer):
        return []
    return [error(51, use_case, f"item_serializer is {declared!r}, no serializer.", hint)]


def _get_user(use_case: UseCase) -> list[CheckMessage]:
    if type(use_case).get_user is not UseCase.get_user or _is_login(use_case.users):
        return []
    message = f"Nobody can say which {use_case.users._meta.label} is asking: logins are {settings.AUTH_USER_MODEL}."
    hint = "Implement get_user(self, request): return the user of request.user, or raise UserNotFound."
    return [error(52, use_case, message, hint)]


def _signatures(use_case: UseCase) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    for name, argument in (("get_items", "user"), ("get_user", "request")):
        try:
            signature(getattr(use_case, name)).bind(None)
        except TypeError:
            message = f"{name} cannot be called with the {argument}."
            problems.append(error(53, use_case, message, f"Write def {name}(self, {argument})."))
    return problems


def _is_login(users: Any) -> bool:
    try:
        return issubclass(get_user_model(), users)
    except ImproperlyConfigured:
        return False
