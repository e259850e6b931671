"""Mistakes in the tables that interactions are read from."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldError
from django.db.models import DateField, Model, QuerySet, UniqueConstraint

from recommender_app.checks.lookups import UnknownField, find_field, id_kind, is_same_table
from recommender_app.checks.messages import error, warning
from recommender_app.usecases.declaration import Interactions, UseCase


def interaction_problems(use_case: UseCase) -> list[CheckMessage]:
    """Return what is wrong with each ``Interactions`` of a use case."""
    return [problem for source in use_case.sources for problem in _source(use_case, source)]


def _source(use_case: UseCase, source: Interactions) -> list[CheckMessage]:
    problems = [
        *_side(use_case, source, "user", use_case.users),
        *_side(use_case, source, "item", use_case.items),
        *_time(use_case, source),
        *_expression(use_case, source, "event", source.event),
    ]
    if source.strength is not None:
        problems += _expression(use_case, source, "strength", source.strength)
    is_readable = not any(isinstance(problem, Error) for problem in problems)
    return problems + _index(use_case, source) if is_readable else problems


def _side(use_case: UseCase, source: Interactions, name: str, wanted: type[Model]) -> list[CheckMessage]:
    path = getattr(source, name)
    try:
        field = find_field(source.model, path)
    except UnknownField as problem:
        return [_unknown(use_case, name, problem)]
    if is_same_table(field.related_model if field.is_relation else _keyed_by(field), wanted):
        return []
    where, model = f"{source.model._meta.label}: {name}={path!r}", wanted._meta.label
    is_loose = not field.is_relation and not field.primary_key and id_kind(field) == id_kind(wanted._meta.pk)
    if is_loose and field.model is source.model:
        hint = f"If the column holds keys of {model}, silence this warning; else name the relation to {model}."
        return [warning(23, use_case, f"{where} is a plain column, no relation.", hint)]
    hint = f"Name the lookup that ends at {model}, such as a foreign key to it, or at its key."
    return [error(21, use_case, f"{where} does not lead to {model}.", hint)]


def _keyed_by(field: Any) -> Any:
    return field.model if field.primary_key else None


def _time(use_case: UseCase, source: Interactions) -> list[CheckMessage]:
    try:
        field = find_field(source.model, source.at)
    except UnknownField as problem:
        return [_unknown(use_case, "at", problem)]
    if isinstance(field, DateField):  # DateTimeField is one
        return []
    message = f"{source.model._meta.label}: at={source.at!r} is a {type(field).__name__}, not a time."
    return [error(22, use_case, message, "Name the DateTimeField that says when the interaction happened.")]


def _expression(use_case: UseCase, source: Interactions, name: str, value: Any) -> list[CheckMessage]:
    if isinstance(value, str):
        try:
            find_field(source.model, value)
        except UnknownField as problem:
            hint = f'{problem.hint} A constant is written {name}=Value("{value}").' if name == "event" else problem.hint
            return [error(20, use_case, f"interactions: {name}={value!r}, but {problem}.", hint)]
        return []
    try:
        QuerySet(model=source.model).annotate(recommender_check=value)
    except (FieldError, TypeError, AttributeError) as problem:
        hint = "Write a field's name, Value(...), or a query expression over fields of the model."
        return [error(20, use_case, f"interactions: {name} is no usable expression: {problem}.", hint)]
    return []


def _unknown(use_case: UseCase, name: str, problem: UnknownField) -> CheckMessage:
    return error(20, use_case, f"interactions: {name} cannot be read: {problem}.", problem.hint)


def _index(use_case: UseCase, source: Interactions) -> list[CheckMessage]:
    user, at = (find_field(source.model, name) for name in (source.user, source.at))
    is_plain = "__" not in source.user and "__" not in source.at
    table = user.model  # the one that holds the columns: a proxy and a child declare no indexes for them
    if not is_plain or not table._meta.managed or at.model is not table or [user, at] in indexed_fields(table):
        return []
    hint = f'Add models.Index(fields=["{source.user}", "{source.at}"]) to Meta.indexes: every request reads a history.'
    message = f"{table._meta.label} has no index on ({source.user}, {source.at})."
    return [warning(24, use_case, message, hint)]


def indexed_fields(model: type[Model]) -> list[list[Any]]:
    """Return the first two fields of each index that holds all rows."""
    options = model._meta
    unique = [entry for entry in options.constraints if isinstance(entry, UniqueConstraint)]
    names = [entry.fields for entry in (*options.indexes, *unique) if entry.condition is None]
    names += [*options.unique_together]
    return [[options.get_field(name.lstrip("-")) for name in fields[:2]] for fields in names]
