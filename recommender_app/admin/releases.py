"""What is and was live, and going back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from recommender_app.admin.confirmation import confirmation_page, is_confirmed, reason_of
from recommender_app.admin.filters import UseCaseFilter
from recommender_app.admin.read_only import ReadOnlyAdmin, ReadOnlyInline
from recommender_app.exceptions import RecommenderError
from recommender_app.models import Release, ReleaseMember
from recommender_app.registry.releases import roll_back


class ReleaseMemberInline(ReadOnlyInline):
    """The version of each engine."""

    model = ReleaseMember
    fields = ("engine", "version", "status")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReleaseMember]:
        """Fetch members and versions together."""
        members: QuerySet[ReleaseMember] = super().get_queryset(request)
        return members.select_related("version")

    @admin.display
    def status(self, member: ReleaseMember) -> str:
        """Of the version."""
        return member.version.status


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    """Releases with their members."""

    list_display = ("number", "use_case", "status", "members", "promoted_by", "promoted_at", "reason")
    list_filter = ("status", UseCaseFilter)
    search_fields = ("use_case", "promoted_by", "reason")
    date_hierarchy = "promoted_at"
    actions = ("roll_back_to_selected",)
    fields = ("use_case", "number", "status", "previous", "promoted_by", "promoted_at", "reason", "created_at")
    inlines = (ReleaseMemberInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Release]:
        """Fetch members and versions together."""
        releases: QuerySet[Release] = super().get_queryset(request)
        return releases.select_related("previous").prefetch_related("members__version")

    @admin.action(description="Roll back to the selected release", permissions=["promote"])
    def roll_back_to_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        """Ask, then make it live again; one release per use case."""
        releases = list(queryset.order_by("use_case"))
        if len({release.use_case for release in releases}) < len(releases):
            self.message_user(request, "Choose one release per use case: only one can be live.", messages.ERROR)
            return None
        if not is_confirmed(request):
            return confirmation_page(
                self,
                request,
                releases,
                action="roll_back_to_selected",
                title="Roll back",
                question="Every process will serve these within seconds. Make them live again?",
                lines=[f"{release}: {self.members(release)}" for release in releases],
            )
        for release in releases:
            self._roll_back(request, release)
        return None

    def _roll_back(self, request: HttpRequest, release: Release) -> None:
        try:
            roll_back(release.use_case, to=release.number, by=request.user.get_username(), reason=reason_of(request))
        except RecommenderError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        self.log_change(request, release, "Rolled back to this release.")
        self.message_user(request, f"{release} is live again.", messages.SUCCESS)

    @admin.display
    def members(self, release: Release) -> str:
        """Names of the versions."""
        return ", ".join(member.version.name for member in release.members.all())
