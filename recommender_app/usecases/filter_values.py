"""What the value of a filter may be, whatever the host's form lets through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet, ValidationError
from django.db.models import QuerySet

Texts = tuple[str, ...]  # all values of one parameter

MAX_CHARACTERS = 200  # of one value
MAX_VALUES = 50  # of one parameter
NUMBER_BOUND = 2**63  # databases' integers are smaller
NAME_SHOWN = 60  # characters of an unknown parameter that an error repeats


def check_text(values: Texts, widget: Any) -> str:
    """Return what is wrong with the texts of one parameter, "" for nothing.

    Args:
        widget: of the filter's form field; says whether the parameter may be repeated.
    """
    if len(values) > 1 and not _takes_many(widget):
        return "Give this filter once."
    if len(values) > MAX_VALUES:
        return f"Give at most {MAX_VALUES} values."
    if any(len(value) > MAX_CHARACTERS for value in values):
        return f"A value has at most {MAX_CHARACTERS} characters."
    if any("\0" in value or _has_surrogate(value) for value in values):
        return "A value holds characters that are no text."
    return ""


def check_value(value: Any) -> str:
    """Return what is wrong with a cleaned value that something not blank was given for, "" for nothing.

    A form turns some values that it does not understand into "no filter", and lets numbers pass
    that no database holds.
    """
    if _is_nothing(value):
        return "This value means nothing here."
    if any(abs(number) >= NUMBER_BOUND for number in _numbers(value)):
        return "This number is too large."
    return ""


def can_be_asked(narrow: Callable[[QuerySet[Any]], QuerySet[Any]], items: QuerySet[Any]) -> bool:
    """Tell whether ``narrow`` makes a query of any item queryset that the database could be asked.

    Some dates and decimals pass a form but fit into no column.
    """
    try:
        narrowed = narrow(items)
        narrowed.query.get_compiler(using=narrowed.db).as_sql()
    except (EmptyResultSet, FullResultSet):
        return True
    except (ValueError, ArithmeticError, ValidationError):
        return False
    return True


def shown_name(name: str) -> str:
    """Return a parameter's name as an error may repeat it: short, and nothing that is no text."""
    return name.encode("utf-8", "replace").decode()[:NAME_SHOWN]


def _takes_many(widget: Any) -> bool:
    from django.forms import MultipleHiddenInput
    from django_filters.widgets import QueryArrayWidget

    return getattr(widget, "allow_multiple_selected", False) or isinstance(
        widget, MultipleHiddenInput | QueryArrayWidget
    )


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _is_nothing(value: Any) -> bool:
    if isinstance(value, slice):
        return value.start is None and value.stop is None
    if isinstance(value, QuerySet):
        return value.query.is_empty()
    return value is None or (isinstance(value, str | list | tuple | dict) and not value)


def _numbers(value: Any) -> Iterator[Any]:
    if isinstance(value, slice):
        value = [value.start, value.stop]
    for part in value if isinstance(value, list | tuple) else [value]:
        if isinstance(part, int | float | Decimal):
            yield part
