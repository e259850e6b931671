"""Rows that only the app itself writes."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

PROMOTE = "recommender_app.promote_version"
FORCE = "recommender_app.force_version"


class ReadOnlyAdmin(admin.ModelAdmin):
    """Pages to look at: nobody adds, changes or deletes here, superusers included."""

    show_full_result_count = False  # a second count of the whole table

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_promote_permission(self, request: HttpRequest) -> bool:
        """Whether the user may change what is live; for actions with ``permissions=["promote"]``."""
        return request.user.has_perm(PROMOTE)

    def has_force_permission(self, request: HttpRequest) -> bool:
        """Whether the user may overrule the gate; for actions with ``permissions=["force"]``."""
        return request.user.has_perm(FORCE)


class ReadOnlyInline(admin.TabularInline):
    """Rows of a page to look at."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False
