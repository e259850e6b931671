"""Mistakes in the filters of a use case, and in the names of its query parameters."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage
from django.utils.module_loading import import_string

from recommender_app.checks.lookups import is_same_table
from recommender_app.checks.messages import error
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.filters import RESERVED_PARAMETERS, filterset_of


def filterset_problems(use_case: UseCase) -> list[CheckMessage]:
    """Return what is wrong with ``parameters`` and ``filterset_class``; the details only where both are sound."""
    outline = [*_parameters(use_case), *_filterset(use_case)]
    if outline or use_case.filterset_class is None:
        return outline
    return [*_collisions(use_case), *_orderings(use_case)]


def _parameters(use_case: UseCase) -> list[CheckMessage]:
    declared: Any = use_case.parameters
    hint = 'Write a tuple of the query parameters that get_user reads: ("for",).'
    if not isinstance(declared, tuple | list) or not all(isinstance(name, str) and name for name in declared):
        return [error(54, use_case, f"parameters is {declared!r}.", hint)]
    return [
        error(54, use_case, f"The API itself reads the query parameter {name!r}.", "Take another name in parameters.")
        for name in declared
        if name in RESERVED_PARAMETERS
    ]


def _filterset(use_case: UseCase) -> list[CheckMessage]:
    declared: Any = use_case.filterset_class
    if declared is None:
        return []
    from django_filters import FilterSet

    model = use_case.items._meta.label
    hint = f"Write filterset_class = <a django_filters.FilterSet whose Meta.model is {model}>, or its dotted path."
    if isinstance(declared, str):
        try:
            declared = import_string(declared)
        except ImportError as problem:
            return [error(50, use_case, f"filterset_class cannot be imported: {problem}.", hint)]
    if not (isinstance(declared, type) and issubclass(declared, FilterSet)):
        return [error(50, use_case, f"filterset_class is {declared!r}, no FilterSet.", hint)]
    filtered: Any = declared._meta.model  # type: ignore[attr-defined]
    if filtered is not None and not is_same_table(filtered, use_case.items):
        return [error(50, use_case, f"filterset_class filters {filtered._meta.label}.", hint)]
    return []


def _collisions(use_case: UseCase) -> list[CheckMessage]:
    taken = {*RESERVED_PARAMETERS, *use_case.parameters}
    return [
        error(54, use_case, f"The filter {name!r} has the name of another query parameter.", "Give it another name.")
        for name in filterset_of(use_case).base_filters
        if name in taken
    ]


def _orderings(use_case: UseCase) -> list[CheckMessage]:
    from django_filters import OrderingFilter

    return [
        error(55, use_case, f"The filter {name!r} orders, but scores decide the order.", "Remove that filter.")
        for name, declared in filterset_of(use_case).base_filters.items()
        if isinstance(declared, OrderingFilter)
    ]
