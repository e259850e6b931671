"""Filters whose choices need no query: a DISTINCT over a log of millions of rows takes seconds."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from recommender_app.engines.catalog import engine_keys
from recommender_app.serving.pool import EXPLORATION, RULE
from recommender_app.usecases.site import all_use_cases


class UseCaseFilter(admin.SimpleListFilter):
    """By registered use case."""

    title = "use case"
    parameter_name = "use_case"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the registered use cases."""
        return [(use_case.key, use_case.label) for use_case in all_use_cases()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of the chosen one."""
        return queryset.filter(use_case=self.value()) if self.value() else queryset


class EngineFilter(admin.SimpleListFilter):
    """By engine."""

    title = "engine"
    parameter_name = "engine"
    others: tuple[str, ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return every engine."""
        return [(key, key.replace("_", " ")) for key in (*engine_keys(), *self.others)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of the chosen one."""
        return queryset.filter(engine=self.value()) if self.value() else queryset


class AnsweringEngineFilter(EngineFilter):
    """By what answered: an engine, the newest items, a rule or exploration where they filled the list, or nothing."""

    others = ("newest", RULE, EXPLORATION, "none")
