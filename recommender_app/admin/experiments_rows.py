"""What the app writes about experiments, to look at: assignments, snapshots, the trail; and layers, to edit."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from recommender_app.admin.read_only import ReadOnlyAdmin
from recommender_app.admin.refusals import SaysRefusals
from recommender_app.admin.tables import EMPTY, html_table, mapping_table, shown
from recommender_app.measurement.readouts.printed import TITLES, all_phases_lines, guardrail_lines, table_rows
from recommender_app.models import Assignment, ExclusionLayer, ExperimentChange, Phase, Snapshot

RESULTS = "recommender_app.view_experiment_results"


class PhaseFilter(admin.SimpleListFilter):
    """By phase that was started."""

    title = "phase"
    parameter_name = "phase"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the phases, newest first; one query."""
        phases = Phase.objects.filter(started_at__isnull=False).select_related("experiment").order_by("-pk")
        return [(str(phase.pk), str(phase)) for phase in phases]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows of the chosen one."""
        value = self.value()
        return queryset.filter(phase=value) if value and value.isdecimal() else queryset


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin):
    """Who is in which arm; how many, the page of the phase says."""

    list_display = (
        "assigned_at",
        "phase",
        "arm",
        "unit",
        "unit_id",
        "came_by",
        "first_exposed_at",
        "excluded_reason",
    )
    list_filter = (PhaseFilter, "source", ("excluded_reason", admin.EmptyFieldListFilter))
    list_select_related = ("phase__experiment", "arm")
    search_fields = ("=unit_id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        """Fetch phases and arms as well, also for the page of one."""
        rows: QuerySet[Assignment] = super().get_queryset(request)
        return rows.select_related("phase__experiment", "arm")

    @admin.display(description="unit", ordering="unit_type")
    def unit(self, assignment: Assignment) -> str:
        """What it is: user or session."""
        return assignment.unit_type

    @admin.display(description="source", ordering="source")
    def came_by(self, assignment: Assignment) -> str:
        """The source's name; its page explains it."""
        return assignment.source


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    """What the numbers said at the end of each day."""

    list_display = ("as_of", "phase", "verdict", "worst", "sentence")
    list_filter = (PhaseFilter,)
    date_hierarchy = "as_of"
    fields = (
        "phase",
        "as_of",
        "verdict",
        "sentence",
        "checks",
        "metrics",
        "read_outs",
        "totals",
        "made_by",
        "created_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Snapshot]:
        """Fetch phases as well."""
        rows: QuerySet[Snapshot] = super().get_queryset(request)
        return rows.select_related("phase__experiment")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever may read results."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Snapshot | None = None) -> bool:
        """Whoever may read results."""
        return bool(request.user.has_perm(RESULTS)) or super().has_view_permission(request, obj)

    @admin.display(description="health")
    def worst(self, snapshot: Snapshot) -> str:
        """The worst severity."""
        return str(snapshot.health[0].get("severity", "-")) if snapshot.health else "-"

    @admin.display(description="health")
    def checks(self, snapshot: Snapshot) -> SafeString:
        """Every check, worst first."""
        names = ("check", "severity", "sentence")
        return html_table(names, [[shown(check.get(name)) for name in names] for check in snapshot.health])

    @admin.display(description="metrics")
    def metrics(self, snapshot: Snapshot) -> SafeString | str:
        """Every metric of every arm, guardrails and earlier phases, as recommender_experiment prints them."""
        if not snapshot.results:
            return EMPTY
        lines = (*guardrail_lines(snapshot), *all_phases_lines(snapshot))
        told = format_html_join("", "<p>{}</p>", ((line,) for line in lines))
        return format_html("{}{}", html_table(TITLES, table_rows(snapshot)), told)

    @admin.display(description="results as stored")
    def read_outs(self, snapshot: Snapshot) -> SafeString | str:
        """Per arm and metric, as stored."""
        return mapping_table(snapshot.results) if isinstance(snapshot.results, dict) else shown(snapshot.results)

    @admin.display(description="sums")
    def totals(self, snapshot: Snapshot) -> SafeString | str:
        """What the results were computed from."""
        return mapping_table(snapshot.sums)

    @admin.display(description="made by")
    def made_by(self, snapshot: Snapshot) -> str:
        """Versions and hash, to compute it again."""
        return f"code {snapshot.code_version}, method {snapshot.method_version}, data {snapshot.data_hash}"


@admin.register(ExperimentChange)
class ExperimentChangeAdmin(ReadOnlyAdmin):
    """Who did what to which experiment, and why; rows are only ever added, by the app."""

    list_display = ("changed_at", "experiment", "phase", "action", "changed_by", "reason")
    list_filter = ("action",)
    search_fields = ("experiment", "changed_by", "reason")
    date_hierarchy = "changed_at"
    fields = ("changed_at", "experiment", "phase", "action", "changed_by", "reason", "said_before", "says_now")

    @admin.display(description="before")
    def said_before(self, change: ExperimentChange) -> SafeString | str:
        """What it said before."""
        return mapping_table(change.before)

    @admin.display(description="after")
    def says_now(self, change: ExperimentChange) -> SafeString | str:
        """What it says now."""
        return mapping_table(change.after)


@admin.register(ExclusionLayer)
class ExclusionLayerAdmin(SaysRefusals, admin.ModelAdmin):
    """Number lines that experiments share."""

    list_display = ("key",)
