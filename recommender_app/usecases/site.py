"""The registered use cases."""

from __future__ import annotations

from typing import TypeVar

from django.utils.module_loading import autodiscover_modules

from recommender_app.exceptions import UnknownUseCase
from recommender_app.usecases.declaration import UseCase

MODULE_NAME = "recommendations"
UseCaseClass = TypeVar("UseCaseClass", bound=type[UseCase])

_registered: dict[str, UseCase] = {}
_duplicates: list[tuple[str, type[UseCase]]] = []  # reported by the system checks


def register(use_case_class: UseCaseClass) -> UseCaseClass:
    """Class decorator: make a use case known under its key; the first of two equal keys stays."""
    key = use_case_class.key
    known = _registered.get(key)
    if known is None:
        _registered[key] = use_case_class()
    elif type(known).__qualname__ != use_case_class.__qualname__ or type(known).__module__ != use_case_class.__module__:
        _duplicates.append((key, use_case_class))
    return use_case_class


def unregister(key: str) -> None:
    """Forget a use case; for tests."""
    _registered.pop(key, None)
    _duplicates[:] = [duplicate for duplicate in _duplicates if duplicate[0] != key]


def get_use_case(key: str) -> UseCase:
    """Return the use case of a key.

    Raises:
        UnknownUseCase: none is registered under it; the message lists those that are.
    """
    try:
        return _registered[key]
    except KeyError:
        known = ", ".join(sorted(_registered)) or "none; declare one in an app's recommendations.py"
        raise UnknownUseCase(f"There is no use case {key!r}. Registered: {known}.") from None


def all_use_cases() -> list[UseCase]:
    """Return every use case, sorted by key."""
    return [_registered[key] for key in sorted(_registered)]


def duplicates() -> list[tuple[str, type[UseCase]]]:
    """Return the classes that were refused because their key was taken."""
    return list(_duplicates)


def autodiscover() -> None:
    """Import ``recommendations.py`` of every installed app, like admin does."""
    autodiscover_modules(MODULE_NAME)
