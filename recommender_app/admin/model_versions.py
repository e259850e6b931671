"""What was trained, how good it is, and making it live."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from recommender_app.admin.confirmation import confirmation_page, is_confirmed, reason_of
from recommender_app.admin.filters import EngineFilter, UseCaseFilter
from recommender_app.admin.read_only import ReadOnlyAdmin
from recommender_app.admin.tables import checks_table, mapping_table, metrics_table, shown
from recommender_app.exceptions import RecommenderError
from recommender_app.models import ModelVersion, Release, ReleaseMember
from recommender_app.registry.releases import promote_all


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Versions with their metrics beside popularity."""

    list_display = ("name", "use_case", "status", "is_live", "gate_says", "precision", "ndcg", "size", "created_at")
    list_filter = ("status", UseCaseFilter, EngineFilter)
    search_fields = ("use_case", "engine", "dataset_fingerprint")
    date_hierarchy = "created_at"
    actions = ("promote_selected", "force_selected")
    fieldsets = (
        (None, {"fields": ("use_case", "name", "status", "is_live", "reason", "created_at", "size")}),
        ("Gate", {"fields": ("judged",)}),
        ("Measured", {"fields": ("measured",)}),
        ("Made from", {"fields": ("training_run", "dataset_fingerprint", "seed", "configuration", "libraries")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        """Say of each version whether it is live, in the same query."""
        live = ReleaseMember.objects.filter(version=OuterRef("pk"), release__status=Release.Status.LIVE)
        versions: QuerySet[ModelVersion] = super().get_queryset(request)
        return versions.annotate(is_member_of_live=Exists(live))

    @admin.action(description="Promote the selected versions", permissions=["promote"])
    def promote_selected(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Make them live together; one version per engine."""
        self._promote_together(request, queryset, force=False)

    @admin.action(description="Promote in spite of the gate", permissions=["force"])
    def force_selected(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> TemplateResponse | None:
        """Ask whether and why, then make them live whatever the gate says."""
        if is_confirmed(request, needs_reason=True):
            self._promote_together(request, queryset, force=True)
            return None
        return confirmation_page(
            self,
            request,
            list(queryset),
            action="force_selected",
            title="Promote in spite of the gate",
            question="The gate does not let these through. They would serve every visitor. Make them live?",
            lines=[f"{version} ({version.status}): {_said(version)}" for version in queryset],
            needs_reason=True,
        )

    def _promote_together(self, request: HttpRequest, queryset: QuerySet[ModelVersion], *, force: bool) -> None:
        versions = list(queryset.order_by("use_case", "engine"))
        if len({(version.use_case, version.engine) for version in versions}) < len(versions):
            self.message_user(request, "Choose one version per engine: only one can be live.", messages.ERROR)
            return
        for _use_case, group in groupby(versions, key=lambda version: version.use_case):
            self._promote(request, list(group), force=force)

    def _promote(self, request: HttpRequest, versions: list[ModelVersion], *, force: bool) -> None:
        by, reason = request.user.get_username(), reason_of(request)
        try:
            release = promote_all(versions, by=by, reason=reason, force=force)
        except RecommenderError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        for version in versions:
            self.log_change(request, version, f"{'Forced into' if force else 'Promoted in'} release {release.number}.")
        names = ", ".join(version.name for version in versions)
        verb = "is" if len(versions) == 1 else "are"
        said = f"{release.use_case} {names} {verb} live in release {release.number}."
        self.message_user(request, said, messages.SUCCESS)

    @admin.display(boolean=True, description="live", ordering="is_member_of_live")
    def is_live(self, version: Any) -> bool:
        """Whether the live release holds it."""
        return bool(version.is_member_of_live)

    @admin.display(description="gate")
    def gate_says(self, version: ModelVersion) -> str:
        """How the gate has decided."""
        return str((version.gate or {}).get("outcome", "-"))

    @admin.display(description="checks")
    def judged(self, version: ModelVersion) -> SafeString | str:
        """Every check of the gate with its numbers."""
        return checks_table(version.gate)

    @admin.display(description="precision@10")
    def precision(self, version: ModelVersion) -> str:
        """Of the version's own engine."""
        return _metric(version, "precision@10")

    @admin.display(description="NDCG@10")
    def ndcg(self, version: ModelVersion) -> str:
        """Of the version's own engine."""
        return _metric(version, "ndcg@10")

    @admin.display(ordering="size_bytes")
    def size(self, version: ModelVersion) -> str:
        """Of the artifact on disk."""
        return filesizeformat(version.size_bytes)

    @admin.display(description="metrics")
    def measured(self, version: ModelVersion) -> SafeString | str:
        """All metrics, beside the baselines'."""
        return metrics_table(version.metrics)

    @admin.display
    def configuration(self, version: ModelVersion) -> SafeString | str:
        """The trainer's options."""
        return mapping_table(version.config)

    @admin.display
    def libraries(self, version: ModelVersion) -> SafeString | str:
        """Versions of what trained it."""
        return mapping_table(version.library_versions)


def _said(version: ModelVersion) -> str:
    return str((version.gate or {}).get("reason") or version.reason or "nobody has judged it")


def _metric(version: ModelVersion, name: str) -> str:
    return shown(version.metrics.get("engines", {}).get(version.engine, {}).get(name))
