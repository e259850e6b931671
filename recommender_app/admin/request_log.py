"""Who was shown what, and why."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from recommender_app.admin.filters import AnsweringEngineFilter, UseCaseFilter
from recommender_app.admin.read_only import ReadOnlyAdmin
from recommender_app.admin.tables import html_table, mapping_table, shown
from recommender_app.models import RequestLog

COLUMNS = ("rank", "item", "score", "source", "propensity")


@admin.register(RequestLog)
class RequestLogAdmin(ReadOnlyAdmin):
    """One row per answer."""

    list_display = (
        "created_at",
        "use_case",
        "user_id",
        "answered_by",
        "fallback_reason",
    )  # more would not fit beside the filters
    list_filter = (UseCaseFilter, AnsweringEngineFilter, ("fallback_reason", admin.EmptyFieldListFilter))
    search_fields = ("=user_id", "=request_id")
    date_hierarchy = "created_at"
    fieldsets = (
        (None, {"fields": ("request_id", "created_at", "use_case", "user_id", "requested_limit", "n_results")}),
        ("Answer", {"fields": ("engine", "model_version", "release", "fallback_reason", "policy", "answer")}),
        ("Experiment", {"fields": ("experiment", "phase", "arm", "propensity", "candidate_source")}),
        ("Measured", {"fields": ("interaction_count", "latency_ms", "engine_milliseconds", "diversity")}),
    )

    @admin.display(description="answered by")
    def answered_by(self, row: RequestLog) -> str:
        """The version that answered, which names its engine; else what did."""
        return row.model_version or row.engine

    @admin.display
    def answer(self, row: RequestLog) -> SafeString | str:
        """The list as it was shown."""
        results = [result for result in row.results if isinstance(result, dict)]
        return html_table(COLUMNS, [[shown(result.get(name)) for name in COLUMNS] for result in results])

    @admin.display
    def engine_milliseconds(self, row: RequestLog) -> SafeString | str:
        """Time that each engine took."""
        return mapping_table(row.engine_ms)
