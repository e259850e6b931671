"""Where a lookup such as ``position__startup`` leads, without a query."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import CharField, IntegerField, Model, TextField, UUIDField

from recommender_app.checks.messages import closest


class UnknownField(Exception):
    """A lookup names something that is not there; ``hint`` says what is."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def find_field(model: Any, path: Any) -> Any:
    """Return the last field of a lookup; its ``related_model`` is set where it is a relation.

    Raises:
        UnknownField: a part of the lookup is no field.
    """
    if not isinstance(path, str) or not path:
        raise UnknownField(f"{path!r} is no field name", "Write the name of a field as text.")
    *relations, last = path.split("__")
    for name in relations:
        model = _field_of(model, name).related_model
        if not is_model(model):
            raise UnknownField(
                f"{path!r} goes on after {name!r}, which is no relation", "End the lookup at that field."
            )
    return _field_of(model, last)


def is_model(value: Any) -> bool:
    """Tell whether a value is a model class that has a table."""
    return isinstance(value, type) and issubclass(value, Model) and value is not Model and not value._meta.abstract


def is_same_table(found: Any, wanted: type[Model]) -> bool:
    """Tell whether the keys of two models are the same: one model, its proxy, parent or child."""
    if not is_model(found):
        return False
    first: Any = found._meta.concrete_model
    second: Any = wanted._meta.concrete_model
    return issubclass(first, second) or issubclass(second, first)


def id_kind(field: Any) -> str | None:
    """Return int, uuid or str for a field that can hold external ids, None for others."""
    while getattr(field, "is_relation", False) and getattr(field, "target_field", None) is not None:
        field = field.target_field
    kinds = {IntegerField: "int", UUIDField: "uuid", CharField: "str", TextField: "str"}
    return next((kind for field_class, kind in kinds.items() if isinstance(field, field_class)), None)


def _field_of(model: Any, name: str) -> Any:
    if name == "pk":
        return model._meta.pk
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        names = {field.name for field in model._meta.get_fields()}
        raise UnknownField(f"{model._meta.label} has no field {name!r}", closest(name, names)) from None
