"""Mistakes in the fields that describe users and items, and in their order."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage
from django.db.models import BooleanField, DateTimeField, DecimalField, FloatField, IntegerField

from recommender_app.checks.events import is_names
from recommender_app.checks.interactions import indexed_fields
from recommender_app.checks.lookups import UnknownField, find_field
from recommender_app.checks.messages import error, warning
from recommender_app.usecases.declaration import UseCase

NUMBERS = (IntegerField, FloatField, DecimalField, BooleanField)


def field_problems(use_case: UseCase) -> list[CheckMessage]:
    """Return what is wrong with ``item_*``, ``user_*``, ``changed_at`` and ``newest_first``."""
    problems: list[CheckMessage] = []
    for side, model in (("item", use_case.items), ("user", use_case.users)):
        for kind in ("text", "categories", "numbers"):
            problems += _described(use_case, f"{side}_{kind}", model)
    return [*problems, *_changed_at(use_case), *_newest_first(use_case)]


def _described(use_case: UseCase, name: str, model: Any) -> list[CheckMessage]:
    lookups = getattr(use_case, name)
    if not is_names(lookups):
        return [error(40, use_case, f"{name} is {lookups!r}.", f'Write {name} = ("title",), with the comma.')]
    return [problem for lookup in lookups for problem in _lookup(use_case, name, model, lookup)]


def _lookup(use_case: UseCase, name: str, model: Any, lookup: str) -> list[CheckMessage]:
    try:
        field = find_field(model, lookup)
    except UnknownField as problem:
        return [error(41, use_case, f"{name}: {lookup!r} cannot be read: {problem}.", problem.hint)]
    if name.endswith("_numbers") and not isinstance(field, NUMBERS):
        message = f"{name}: {lookup!r} is a {type(field).__name__}, which holds no numbers."
        return [error(42, use_case, message, "Name a number field, or list it under the categories.")]
    if name.endswith("_text") and field.is_relation:
        hint = f"Go on to a field of words, such as {lookup}__name."
        return [warning(43, use_case, f"{name}: {lookup!r} is a relation, whose text is a key.", hint)]
    return []


def _changed_at(use_case: UseCase) -> list[CheckMessage]:
    name = use_case.changed_at
    if name is None:
        return []
    hint = "Name a DateTimeField of the item that grows with every change, such as one with auto_now=True, or None."
    try:
        field = find_field(use_case.items, name)
    except UnknownField as problem:
        return [error(44, use_case, f"changed_at cannot be read: {problem}.", f"{problem.hint} {hint}")]
    if "__" not in name and isinstance(field, DateTimeField):
        return [] if _has_index(field) else [_unindexed(use_case, field)]
    return [error(44, use_case, f"changed_at={name!r} is no DateTimeField of the item.", hint)]


def _has_index(field: Any) -> bool:
    """Tell whether the table can be searched by a field; of a table that Django does not manage, nobody knows."""
    is_first = any(fields[:1] == [field] for fields in indexed_fields(field.model))
    return field.db_index or field.unique or is_first or not field.model._meta.managed


def _unindexed(use_case: UseCase, field: Any) -> CheckMessage:
    message = f"{field.model._meta.label} has no index that begins with {field.name}, its changed_at."
    hint = "Set db_index=True: every few seconds each process reads which items changed."
    return warning(46, use_case, message, hint)


def _newest_first(use_case: UseCase) -> list[CheckMessage]:
    names = use_case.newest_first
    if not is_names(names) or not names:
        return [error(45, use_case, f"newest_first is {names!r}.", 'Write newest_first = ("-created_at", "pk").')]
    problems: list[CheckMessage] = []
    for name in names:
        try:
            find_field(use_case.items, name.removeprefix("-"))
        except UnknownField as problem:
            problems.append(error(45, use_case, f"newest_first: {name!r} orders nothing: {problem}.", problem.hint))
    return problems
