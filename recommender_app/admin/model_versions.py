"""What was trained, how good it is, and making it live."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.safestring import SafeString

from recommender_app.admin.filters import EngineFilter, UseCaseFilter
from recommender_app.admin.read_only import ReadOnlyAdmin
from recommender_app.admin.tables import mapping_table, metrics_table, shown
from recommender_app.exceptions import RecommenderError
from recommender_app.models import ModelVersion, Release, ReleaseMember
from recommender_app.registry.releases import promote


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Versions with their metrics beside popularity."""

    list_display = ("name", "use_case", "status", "is_live", "precision", "ndcg", "size", "created_at")
    list_filter = ("status", UseCaseFilter, EngineFilter)
    search_fields = ("use_case", "engine", "dataset_fingerprint")
    date_hierarchy = "created_at"
    actions = ("promote_selected",)
    fieldsets = (
        (None, {"fields": ("use_case", "name", "status", "is_live", "reason", "created_at", "size")}),
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
        """Make each live; one version per engine."""
        versions = list(queryset.order_by("use_case", "engine"))
        if len({(version.use_case, version.engine) for version in versions}) < len(versions):
            self.message_user(request, "Choose one version per engine: only one can be live.", messages.ERROR)
            return
        for version in versions:
            self._promote(request, version)

    def _promote(self, request: HttpRequest, version: ModelVersion) -> None:
        try:
            release = promote(version, by=request.user.get_username())
        except RecommenderError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        self.log_change(request, version, f"Promoted in release {release.number}.")
        self.message_user(request, f"{version} is live in release {release.number}.", messages.SUCCESS)

    @admin.display(boolean=True, description="live", ordering="is_member_of_live")
    def is_live(self, version: Any) -> bool:
        """Whether the live release holds it."""
        return bool(version.is_member_of_live)

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


def _metric(version: ModelVersion, name: str) -> str:
    return shown(version.metrics.get("engines", {}).get(version.engine, {}).get(name))
