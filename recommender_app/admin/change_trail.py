"""Trails of what staff changed, beside each other: before and after."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from recommender_app.admin.filters import UseCaseFilter
from recommender_app.admin.read_only import ReadOnlyAdmin
from recommender_app.admin.tables import mapping_table


class ChangeTrailAdmin(ReadOnlyAdmin):
    """Rows with ``before`` and ``after``; they are only ever added, by the app."""

    list_display = ("changed_at", "use_case", "name", "changed_by", "changed_fields")
    list_filter = (UseCaseFilter,)
    search_fields = ("use_case", "name", "changed_by")
    date_hierarchy = "changed_at"
    fields = ("changed_at", "use_case", "name", "changed_by", "changed_fields", "said_before", "says_now")

    @admin.display(description="changed")
    def changed_fields(self, change: Any) -> str:
        """Names of the fields that differ."""
        if change.before is None or change.after is None:
            return "created" if change.before is None else "deleted"
        names = sorted(change.before.keys() | change.after.keys())
        return ", ".join(name for name in names if change.before.get(name) != change.after.get(name)) or "nothing"

    @admin.display(description="before")
    def said_before(self, change: Any) -> SafeString | str:
        """What it said before."""
        return mapping_table(change.before)

    @admin.display(description="after")
    def says_now(self, change: Any) -> SafeString | str:
        """What it says now."""
        return mapping_table(change.after)
