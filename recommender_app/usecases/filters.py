"""What a request narrows the items to: the filters of the use case's ``filterset_class`` and no others."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import Any

from django.db.models import QuerySet
from django.forms import CharField
from django.utils.datastructures import MultiValueDict
from django.utils.module_loading import import_string

from recommender_app.exceptions import InvalidFilters
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.filter_values import Texts, can_be_asked, check_text, check_value, shown_name
from recommender_app.usecases.values import usable_ids

RESERVED_PARAMETERS = ("limit", "cursor", "exclude", "format")  # the API's own, and REST framework's
NOT_ASKABLE = "This value cannot be looked for."


@dataclass(frozen=True)
class Filters:
    """Filters that were checked; equal where the same values were given.

    Attributes:
        values: (parameter, values) of what was given and not blank, sorted by parameter.
        bound: the host's FilterSet with a valid form; None for no filters.
        excluded: keys of items that the request does not want, sorted by their text, each once.
    """

    values: tuple[tuple[str, Texts], ...] = ()
    bound: Any = field(default=None, compare=False, repr=False)
    excluded: tuple[Any, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.values or self.excluded)

    @property
    def key(self) -> str:
        """Text that differs where the values differ, the same in every process; "" for no filters."""
        text = json.dumps([*self.values, *map(str, self.excluded)])
        return sha256(text.encode()).hexdigest()[:32] if self else ""

    def without(self, use_case: UseCase, ids: Iterable[Any]) -> Filters:
        """Return the same filters that also leave these items out; what can be no key of an item is ignored."""
        return replace(self, excluded=tuple(sorted(set(usable_ids(use_case, ids)), key=str)))


def filterset_of(use_case: UseCase) -> Any:
    """Return the FilterSet class of a use case, which may be declared by its dotted path, or None."""
    declared = use_case.filterset_class
    return import_string(declared) if isinstance(declared, str) else declared


def parse_filters(use_case: UseCase, data: Mapping[str, list[str]], request: Any = None) -> Filters:
    """Return the filters among the parameters of a request, validated by the FilterSet's form.

    Blank values filter nothing. Parameters of the API (``RESERVED_PARAMETERS``) and those that
    the use case declares in ``parameters`` are no filters.

    Args:
        data: every parameter with all its values, as ``dict(request.GET.lists())`` has them.
        request: for FilterSets that read ``self.request``.

    Raises:
        InvalidFilters: a parameter that nobody reads, or a value that a filter cannot take; names them all.
    """
    others = {*RESERVED_PARAMETERS, *use_case.parameters}
    asked = {name: tuple(values) for name, values in data.items() if name not in others}
    filterset_class = filterset_of(use_case)
    if not asked and not _has_required(filterset_class):
        return Filters()
    if filterset_class is None:
        raise InvalidFilters({shown_name(name): [f"{use_case.key} has no filters."] for name in asked})
    return _validated(use_case, filterset_class, asked, request)


def apply_filters(queryset: QuerySet[Any], filters: Filters | None) -> QuerySet[Any]:
    """Return the queryset narrowed down; unchanged for no filters."""
    if not filters:
        return queryset
    narrowed: QuerySet[Any] = queryset if filters.bound is None else filters.bound.filter_queryset(queryset)
    return narrowed.exclude(pk__in=filters.excluded) if filters.excluded else narrowed


def filter_fields(use_case: UseCase) -> dict[str, Any]:
    """Return {parameter: form field} of the filters of a use case, without a request.

    A field whose choices depend on who asks is text here.
    """
    filterset_class = filterset_of(use_case)
    if filterset_class is None:
        return {}
    filters = filterset_class(queryset=use_case.items._default_manager.all()).filters
    fields = {
        name: CharField(label=declared.label) if callable(getattr(declared, "queryset", None)) else declared.field
        for name, declared in filters.items()
    }
    return {parameter: fields[name] for parameter, name in _parameter_names(fields).items()}


def _parameter_names(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return {parameter: filter} of the form fields of a FilterSet; a range filter has two parameters."""
    return {
        parameter: name for name, form_field in fields.items() for parameter in _parameters_of(name, form_field.widget)
    }


def _has_required(filterset_class: Any) -> bool:
    return filterset_class is not None and any(
        declared.extra.get("required") for declared in filterset_class.base_filters.values()
    )


def _validated(use_case: UseCase, filterset_class: Any, asked: dict[str, Texts], request: Any) -> Filters:
    items = use_case.items._default_manager.order_by()
    given = {name: values for name, values in asked.items() if any(value.strip() for value in values)}
    data = MultiValueDict({name: list(values) for name, values in given.items()})
    filterset = filterset_class(data, queryset=items, request=request)
    names = _parameter_names(filterset.form.fields)
    _check_texts(use_case, filterset, names, asked)
    _check_form(filterset, given)
    _check_values(filterset, {names[parameter] for parameter in given}, items)
    return Filters(tuple(sorted(given.items())), filterset)


def _check_texts(use_case: UseCase, filterset: Any, names: Mapping[str, str], asked: Mapping[str, Texts]) -> None:
    """Refuse what no form should see."""
    errors = {}
    for parameter, values in asked.items():
        if parameter not in names:
            reason = f"There is no such filter for {use_case.key}: choose from {', '.join(names) or 'nothing'}."
        else:
            reason = check_text(values, filterset.form.fields[names[parameter]].widget)
        if reason:
            errors[shown_name(parameter)] = [reason]
    if errors:
        raise InvalidFilters(errors)


def _check_form(filterset: Any, given: Mapping[str, Texts]) -> None:
    try:
        errors = {name: [str(text) for text in texts] for name, texts in filterset.form.errors.items()}
    except (ValueError, ArithmeticError):  # a form that looks for the value, with one no database can hold
        errors = {name: [NOT_ASKABLE] for name in given}
    if errors:
        raise InvalidFilters(errors)


def _check_values(filterset: Any, names: Collection[str], items: QuerySet[Any]) -> None:
    cleaned = filterset.form.cleaned_data
    errors = {name: [reason] for name in names if (reason := check_value(cleaned.get(name)))}
    if not errors and not can_be_asked(filterset.filter_queryset, items):
        each = {name: partial(filterset.filters[name].filter, value=cleaned[name]) for name in names}
        errors = {name: [NOT_ASKABLE] for name, narrow in each.items() if not can_be_asked(narrow, items)}
        errors = errors or {name: [NOT_ASKABLE] for name in names}
    if errors:
        raise InvalidFilters(errors)


def _parameters_of(name: str, widget: Any) -> list[str]:
    if hasattr(widget, "suffixes"):  # django-filter's ranges and lookups
        return [widget.suffixed(name, suffix) for suffix in widget.suffixes]
    if hasattr(widget, "widgets_names"):  # Django's own composed widgets
        return [name + suffix for suffix in widget.widgets_names]
    return [name]
