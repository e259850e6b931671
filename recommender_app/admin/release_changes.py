"""Who made what live, took it back, or turned it down."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from recommender_app.admin.filters import UseCaseFilter
from recommender_app.admin.read_only import ReadOnlyAdmin
from recommender_app.admin.tables import mapping_table
from recommender_app.models import ReleaseChange


@admin.register(ReleaseChange)
class ReleaseChangeAdmin(ReadOnlyAdmin):
    """The trail; rows are only ever added, by the app."""

    list_display = ("at", "use_case", "action", "version", "release", "by", "reason")
    list_filter = ("action", UseCaseFilter)
    search_fields = ("use_case", "version", "by", "reason")
    date_hierarchy = "at"
    fields = ("at", "use_case", "action", "version", "release", "by", "reason", "more")

    @admin.display(description="details")
    def more(self, change: ReleaseChange) -> SafeString | str:
        """What was live before, and what is now."""
        return mapping_table(change.details)
