"""How each use case is served, editable while it is served, and who changed what."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString

from recommender_app.admin.change_trail import ChangeTrailAdmin
from recommender_app.admin.filters import UseCaseFilter
from recommender_app.admin.policy_form import PolicyForm
from recommender_app.admin.tables import html_table
from recommender_app.exceptions import ConfigurationError, UnknownUseCase
from recommender_app.models import PolicyChange, ServingPolicy
from recommender_app.registry.policies import delete_policy, save_policy
from recommender_app.serving.policies import decide
from recommender_app.serving.policy_tables import policy_rows


@admin.register(ServingPolicy)
class ServingPolicyAdmin(admin.ModelAdmin):
    """Policies; what is saved here is in force in every process a few seconds later."""

    form = PolicyForm
    list_display = ("name", "use_case", "is_active", "updated_at")
    list_filter = ("is_active", UseCaseFilter)
    search_fields = ("use_case", "name")
    readonly_fields = ("in_force", "created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("use_case", "name", "is_active", "in_force")}),
        ("Who answers", {"fields": ("cold_start_threshold", "warm_user_threshold", "routes", "disabled")}),
        ("Ensemble", {"fields": ("weights", "fusion")}),
        ("Slate", {"fields": ("diversity", "caps", "fatigue_after", "exploration")}),
        ("Row", {"fields": ("created_at", "updated_at")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: ServingPolicy | None = None) -> Any:
        """Show what is in force, and when the row was written, once there is a row."""
        first, *others, row = super().get_fieldsets(request, obj)
        if obj is not None:
            return (first, *others, row)
        return ((None, {"fields": tuple(name for name in first[1]["fields"] if name != "in_force")}), *others)

    @admin.display(description="in force now")
    def in_force(self, policy: ServingPolicy) -> SafeString | str:
        """What serves the use case now, and which level decided it."""
        try:
            return html_table(("", "value", "decided by"), policy_rows(decide(policy.use_case)))
        except UnknownUseCase as error:
            return str(error)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say in one line what only saving found out; nothing is stored then."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ConfigurationError as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: ServingPolicy, form: Any, change: bool) -> None:
        """Store it with the trail."""
        save_policy(obj, by=request.user.get_username())

    def delete_model(self, request: HttpRequest, obj: ServingPolicy) -> None:
        """Delete it with the trail."""
        delete_policy(obj, by=request.user.get_username())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ServingPolicy]) -> None:
        """Delete each with its trail."""
        for policy in queryset:
            delete_policy(policy, by=request.user.get_username())


@admin.register(PolicyChange)
class PolicyChangeAdmin(ChangeTrailAdmin):
    """Who changed which policy."""
