"""The registered use cases."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from recommender_app.exceptions import ConfigurationError, UnknownUseCase
from recommender_app.usecases.declaration import UseCase

MODULE_NAME = "recommendations"
UseCaseClass = TypeVar("UseCaseClass", bound=type[UseCase])

PACKAGE = f"{Path(__file__).resolve().parents[1]}{os.sep}"


@dataclass(frozen=True)
class Unreadable:
    """A module that could not be imported because of something in it that cannot be, such as a rule.

    Attributes:
        place: module and line.
        error: says what is wrong and what to write.
    """

    place: str
    error: ConfigurationError


_registered: dict[str, UseCase] = {}
_duplicates: list[tuple[str, type[UseCase]]] = []  # reported by the system checks
_unreadable: list[Unreadable] = []  # the same


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


def unreadable() -> list[Unreadable]:
    """Return the modules that could not be imported; their use cases are unknown."""
    return list(_unreadable)


def autodiscover(*, is_checked: bool = False) -> None:
    """Import ``recommendations.py`` of every installed app, like admin does.

    Args:
        is_checked: the system checks run in this process and will say what cannot be; else it is raised here.

    Raises:
        ConfigurationError: a module says something that cannot be.
    """
    for app in apps.get_app_configs():
        if not module_has_submodule(app.module, MODULE_NAME):
            continue
        name = f"{app.name}.{MODULE_NAME}"
        try:
            import_module(name)
        except ConfigurationError as error:
            if not is_checked:
                raise
            _unreadable.append(Unreadable(_place(name, error), error.with_traceback(None)))


def _place(name: str, error: Exception) -> str:
    """Return the module and the line of the host's code that an error comes from."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith((PACKAGE, "<"))]
    return f"{name}, {own[-1].filename}:{own[-1].lineno}" if own else name
