"""How each training went."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import admin
from django.utils.safestring import SafeString

from recommender_app.admin.filters import EngineFilter, UseCaseFilter
from recommender_app.admin.read_only import ReadOnlyAdmin
from recommender_app.admin.tables import mapping_table
from recommender_app.models import TrainingRun


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    """Who asked for what, and how it ended."""

    list_display = ("id", "use_case", "engine", "status", "requested_by", "started_at", "duration", "reason")
    list_filter = ("status", UseCaseFilter, EngineFilter)
    search_fields = ("reason", "requested_by", "dataset_fingerprint")
    date_hierarchy = "created_at"
    fieldsets = (
        (None, {"fields": ("use_case", "engine", "status", "reason", "requested_by")}),
        ("Time", {"fields": ("created_at", "started_at", "finished_at", "duration", "lease_until", "token")}),
        ("What was trained", {"fields": ("seed", "dataset_fingerprint", "configuration")}),
    )

    @admin.display(empty_value="-")
    def duration(self, run: TrainingRun) -> timedelta | None:
        """Time from start to end, whole seconds."""
        if run.started_at is None or run.finished_at is None:
            return None
        return timedelta(seconds=round((run.finished_at - run.started_at).total_seconds()))

    @admin.display
    def configuration(self, run: TrainingRun) -> SafeString | str:
        """The trainer's options."""
        return mapping_table(run.config)
