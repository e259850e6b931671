"""Texts, category terms and numbers of users and items: one set of rules for export and serving."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Model
from numpy.typing import NDArray

from recommender_app.dataset.features import Features
from recommender_app.exceptions import ConfigurationError
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.rows import fields_along

TEXT_LIMIT = 20_000  # characters of one user's or item's text

Values = dict[str, list[Any]]  # lookup -> what one object holds there


@dataclass(frozen=True)
class ProfileFields:
    """The lookups of a model that describe its objects."""

    model: type[Model]
    text: tuple[str, ...]
    categories: tuple[str, ...]
    numbers: tuple[str, ...]

    @property
    def lookups(self) -> tuple[str, ...]:
        """Every lookup once, in declared order."""
        return tuple(dict.fromkeys((*self.text, *self.categories, *self.numbers)))


def user_fields(use_case: UseCase) -> ProfileFields:
    """Return what describes a user."""
    return ProfileFields(use_case.users, use_case.user_text, use_case.user_categories, use_case.user_numbers)


def item_fields(use_case: UseCase) -> ProfileFields:
    """Return what describes an item."""
    return ProfileFields(use_case.items, use_case.item_text, use_case.item_categories, use_case.item_numbers)


def load_profile(use_case: UseCase, user: Any) -> Features:
    """Return the features of one user, one row.

    Plain fields are read from the instance, without a query; lookups over relations cost one
    query together where they hold one value, and one each where they hold many (``skills__name``).
    """
    fields = user_fields(use_case)
    plain = [name for name in fields.lookups if "__" not in name and not is_many(fields.model, name)]
    values = {name: [getattr(user, fields_along(fields.model, name)[0].attname)] for name in plain}
    distant = [name for name in fields.lookups if name not in values]
    values |= read_values(fields.model, distant, [user.pk])[user.pk]
    return build_features(fields, [values])


def load_features(fields: ProfileFields, ids: Sequence[Any]) -> Features:
    """Return the features of the objects with these keys, position for position.

    A constant number of queries, whatever ``len(ids)``; an object that is gone says nothing.
    """
    values = read_values(fields.model, fields.lookups, ids)
    return build_features(fields, [values[key] for key in ids])


def build_features(fields: ProfileFields, rows: Sequence[Values]) -> Features:
    """Apply the rules: see ``text_of`` and ``terms_of``; numbers that are missing or not finite are NaN."""
    return Features(
        [text_of(values.get(name, ()) for name in fields.text) for values in rows],
        [terms_of({name: values.get(name, ()) for name in fields.categories}) for values in rows],
        _numbers_of(fields.numbers, rows),
        fields.numbers,
    )


def text_of(fields: Iterable[Iterable[Any]]) -> str:
    """Return the non-empty values of all fields joined by newlines, capped at TEXT_LIMIT characters."""
    return "\n".join(_readable(value for values in fields for value in values))[:TEXT_LIMIT]


def terms_of(fields: dict[str, Iterable[Any]]) -> tuple[str, ...]:
    """Return ``field=value`` of every non-empty value, with the field as declared, sorted, each once."""
    return tuple(sorted({f"{name}={value}" for name, values in fields.items() for value in _readable(values)}))


def is_many(model: type[Model], lookup: str) -> bool:
    """Tell whether one object may hold several values under a lookup."""
    return any(field.many_to_many or field.one_to_many for field in fields_along(model, lookup))


def read_values(model: type[Model], lookups: Sequence[str], ids: Sequence[Any]) -> defaultdict[Any, Values]:
    """Return {id: {lookup: values}}: one query for all single-valued lookups, one per many-valued one."""
    found: defaultdict[Any, Values] = defaultdict(dict)
    if not ids:
        return found
    single = [name for name in lookups if not is_many(model, name)]
    objects = model._default_manager.filter(pk__in=ids).order_by()
    if single:
        for key, *values in objects.values_list("pk", *single):
            found[key].update({name: [value] for name, value in zip(single, values, strict=True)})
    for name in [name for name in lookups if name not in single]:
        for key, value in objects.values_list("pk", name):
            found[key].setdefault(name, []).append(value)
    for values in found.values():
        for name in values:
            values[name].sort(key=str)  # the database gives many values in any order
    return found


def _readable(values: Iterable[Any]) -> list[str]:
    texts = (str(value).replace("\0", "").strip() for value in values if value is not None)
    return [text for text in texts if text]


def _numbers_of(names: tuple[str, ...], rows: Sequence[Values]) -> NDArray[np.float32]:
    numbers = np.full((len(rows), len(names)), np.nan, dtype=np.float32)
    for row, values in enumerate(rows):
        for column, name in enumerate(names):
            numbers[row, column] = _number(name, values.get(name, ()))
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def _number(name: str, values: Sequence[Any]) -> float:
    present = [value for value in values if value is not None]
    if not present:
        return np.nan
    try:
        return float(present[0])
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"{name} is declared as a number but holds {present[0]!r}: name a number field."
        ) from None
