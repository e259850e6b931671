"""Business rules: edited, looked at with sample users, published, and who changed what."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from recommender_app.admin.change_trail import ChangeTrailAdmin
from recommender_app.admin.filters import UseCaseFilter
from recommender_app.admin.rule_form import RuleForm
from recommender_app.admin.rule_hints import hints_of
from recommender_app.exceptions import ConfigurationError, UnknownUseCase
from recommender_app.models import BusinessRule, RuleChange
from recommender_app.registry.rules import delete_rule, publish_rule, save_rule, withdraw_rule
from recommender_app.serving.arranging.preview import preview_rule
from recommender_app.serving.rule_book import row_problems

N_SAMPLE_USERS = 5


@admin.register(BusinessRule)
class BusinessRuleAdmin(admin.ModelAdmin):
    """Rules; what is published here is in force in every process a few seconds later."""

    form = RuleForm
    list_display = ("name", "use_case", "kind", "is_active", "about", "starts_at", "ends_at", "priority")
    list_filter = ("is_active", "kind", UseCaseFilter)
    search_fields = ("use_case", "name")
    actions = ("publish", "withdraw")
    readonly_fields = ("created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("use_case", "name", "is_active")}),
        ("Which items", {"fields": ("condition", "item_ids", "new_within_days")}),
        ("What happens", {"fields": ("kind", "factor", "position", ("count", "out_of"), "priority")}),
        ("When", {"fields": ("starts_at", "ends_at", "created_at", "updated_at")}),
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the preview."""
        view = self.admin_site.admin_view(self.preview_view)
        return [
            path("<path:object_id>/preview/", view, name="recommender_app_businessrule_preview"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show lists of sample users without and with the rule; only those who may change it."""
        rule = self.get_object(request, object_id)
        if not self.has_change_permission(request, rule):
            raise PermissionDenied
        if rule is None:
            raise Http404("There is no such rule.")
        context = {
            **self.admin_site.each_context(request),
            "title": f"Preview of {rule.name}",
            "opts": self.opts,
            "rule": rule,
            "about": self.about(rule),
            **_previewed(rule),
        }
        return TemplateResponse(request, "admin/recommender_app/businessrule/preview.html", context)

    @admin.display(description="which items")
    def about(self, rule: BusinessRule) -> str:
        """The conditions in one line."""
        condition = rule.condition if isinstance(rule.condition, dict) else {"no condition": rule.condition}
        parts = [f"{name}: {_joined(values)}" for name, values in condition.items()]
        parts += [f"items {_joined(rule.item_ids)}"] if rule.item_ids else []
        parts += [f"new within {rule.new_within_days} days"] if rule.new_within_days is not None else []
        return "; ".join(parts)

    @admin.action(description="Publish the selected rules", permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[BusinessRule]) -> None:
        """Put them in force, those that fit their use case."""
        for rule in queryset:
            try:
                problem = " ".join(row_problems(rule).values())
                if not problem:
                    publish_rule(rule.pk, by=request.user.get_username())
            except (ConfigurationError, UnknownUseCase) as error:
                problem = str(error)
            if problem:
                self.message_user(request, f"{rule} is not published: {problem}", messages.ERROR)
            else:
                self._say(request, rule, "published")

    @admin.action(description="Withdraw the selected rules", permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[BusinessRule]) -> None:
        """Take them out of force; they stay here."""
        for rule in queryset:
            withdraw_rule(rule.pk, by=request.user.get_username())
            self._say(request, rule, "withdrawn")

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Say in one line what only saving found out; nothing is stored then."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ConfigurationError as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: BusinessRule, form: Any, change: bool) -> None:
        """Store it with the trail; warn where it speaks of what is not there now."""
        save_rule(obj, by=request.user.get_username())
        for hint in hints_of(obj):
            self.message_user(request, hint, messages.WARNING)

    def delete_model(self, request: HttpRequest, obj: BusinessRule) -> None:
        """Delete it with the trail."""
        delete_rule(obj, by=request.user.get_username())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[BusinessRule]) -> None:
        """Delete each with its trail."""
        for rule in queryset:
            delete_rule(rule, by=request.user.get_username())

    def _say(self, request: HttpRequest, rule: BusinessRule, done: str) -> None:
        self.log_change(request, rule, f"{done.capitalize()}.")
        self.message_user(request, f"{rule} is {done}.", messages.SUCCESS)


@admin.register(RuleChange)
class RuleChangeAdmin(ChangeTrailAdmin):
    """Who changed which rule."""


def _previewed(rule: BusinessRule) -> dict[str, Any]:
    """Return the comparisons, or why there are none."""
    try:
        problems = row_problems(rule)
    except UnknownUseCase as error:
        return {"problems": [str(error)]}
    if problems:
        return {"problems": list(problems.values())}
    comparisons = preview_rule(rule, N_SAMPLE_USERS)
    return {"comparisons": comparisons, "n_changed": sum(each.is_changed for each in comparisons)}


def _joined(values: Any) -> str:
    return ", ".join(map(str, values if isinstance(values, list) else [values]))
