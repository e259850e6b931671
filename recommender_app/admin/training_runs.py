"""How each training went, and asking for another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from recommender_app.admin.filters import EngineFilter, UseCaseFilter
from recommender_app.admin.read_only import ReadOnlyAdmin
from recommender_app.admin.tables import mapping_table
from recommender_app.admin.training_request import may_request, request_page, request_training, told
from recommender_app.models import TrainingRun
from recommender_app.registry.training_signs import training_signs


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    """Who asked for what, and how it ended."""

    list_display = ("id", "use_case", "engine", "status", "requested_by", "started_at", "duration", "reason")
    list_filter = ("status", UseCaseFilter, EngineFilter)
    search_fields = ("reason", "requested_by", "dataset_fingerprint", "slot")
    date_hierarchy = "created_at"
    actions = ("train_again",)
    fieldsets = (
        (None, {"fields": ("use_case", "engine", "status", "reason", "requested_by", "slot", "attempts")}),
        (
            "Time",
            {"fields": ("requested_at", "created_at", "started_at", "finished_at", "duration", "lease_until", "token")},
        ),
        ("What was trained", {"fields": ("seed", "dataset_fingerprint", "configuration")}),
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the page that asks for a training."""
        name = "recommender_app_trainingrun_request"
        return [path("request/", self.admin_site.admin_view(self.request_view), name=name), *super().get_urls()]

    def request_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a training of any engine."""
        return request_page(self, request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the button to those who may use it, and to all whether nobody trains."""
        for problem in training_signs().problems if request.method == "GET" else ():
            self.message_user(request, f"{problem[0].upper()}{problem[1:]}.", messages.WARNING)
        return super().changelist_view(request, {**(extra_context or {}), "may_request": may_request(request)})

    def has_request_permission(self, request: HttpRequest) -> bool:
        """Whether the user may ask for trainings; for actions with ``permissions=["request"]``."""
        return may_request(request)

    @admin.action(description="Request a new training of the selected runs' engines", permissions=["request"])
    def train_again(self, request: HttpRequest, queryset: QuerySet[TrainingRun]) -> None:
        """Ask for each engine once."""
        pairs = sorted({(run.use_case, run.engine) for run in queryset})
        runs = [request_training(request, use_case, engine) for use_case, engine in pairs]
        self.message_user(request, told(runs), messages.SUCCESS)

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
