"""Phases: arms and ramp are edited until the start, and only looked at from then on."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.forms.models import BaseModelFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from recommender_app.admin.experiments_forms import ArmForm, ArmFormSet, PhaseForm, RampStepForm
from recommender_app.admin.refusals import SaysRefusals
from recommender_app.admin.tables import html_table
from recommender_app.experiments.starting import start_problems
from recommender_app.experiments.trail import configuration_of, record
from recommender_app.models import Arm, Phase, RampStep

ABOUT = ("of_experiment", "number", "enrol_bp", "is_enrolling", "started_at", "ended_at", "end_reason")
VIEW, CHANGE, DELETE = (f"recommender_app.{action}_experiment" for action in ("view", "change", "delete"))


def _may_edit(request: HttpRequest, phase: Phase | None) -> bool:
    """Whether the user may change drafts, and this is one."""
    return request.user.has_perm(CHANGE) and (phase is None or phase.started_at is None)


def _stored(model_admin: admin.ModelAdmin, request: HttpRequest) -> Phase | None:
    """Return the phase whose page was stored, if it was one."""
    match = request.resolver_match
    if match is None or not (match.url_name or "").endswith("_change"):
        return None
    return model_admin.get_object(request, match.kwargs["object_id"])


class OfDraft(admin.TabularInline):
    """Rows that are edited in a draft only."""

    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may look at experiments."""
        return request.user.has_perm(VIEW) or request.user.has_perm(CHANGE)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """In a draft."""
        return _may_edit(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """In a draft."""
        return _may_edit(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """In a draft."""
        return _may_edit(request, obj)


class ArmInline(OfDraft):
    """The arms; their policies are checked like serving policies."""

    model = Arm
    form = ArmForm
    formset = ArmFormSet


class RampStepInline(OfDraft):
    """The ramp."""

    model = RampStep
    form = RampStepForm
    fields = ("after_days", "enrol_bp", "is_manual", "activated_at", "held_reason")
    readonly_fields = ("activated_at", "held_reason")


@admin.register(Phase)
class PhaseAdmin(SaysRefusals, admin.ModelAdmin):
    """One phase with its arms and its ramp; reached from its experiment."""

    form = PhaseForm
    list_display = ("number", "experiment", "started_at", "ended_at", "enrol_bp")
    list_select_related = ("experiment",)
    inlines = (ArmInline, RampStepInline)
    readonly_fields = (*ABOUT, "units")
    fields = (*ABOUT, "eligibility", "planned_units", "units")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Phase]:
        """Fetch the experiment as well."""
        phases: QuerySet[Phase] = super().get_queryset(request)
        return phases.select_related("experiment__layer")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Not in the index: phases are reached from their experiments."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Phase | None = None) -> bool:
        """Whoever may look at experiments."""
        return request.user.has_perm(VIEW) or request.user.has_perm(CHANGE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: phases come with their experiment, or from its button."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Phase | None = None) -> bool:
        """Whoever may change drafts, a draft."""
        return _may_edit(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Phase | None = None) -> bool:
        """Whoever may delete drafts, a draft, with its experiment."""
        return request.user.has_perm(DELETE) and (obj is None or obj.started_at is None)

    def delete_model(self, request: HttpRequest, obj: Phase) -> None:
        """Delete a draft; what it said stays in the trail."""
        record(obj.experiment, "delete", request.user.get_username(), phase=obj, before=configuration_of(obj))
        obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Phase]) -> None:
        """Delete each with its trail."""
        for phase in queryset:
            self.delete_model(request, phase)

    def save_model(self, request: HttpRequest, obj: Phase, form: Any, change: bool) -> None:
        """Store it; remember what it said for the trail."""
        form.before = configuration_of(obj.experiment.phases.get(pk=obj.pk))
        obj.save()

    def save_related(self, request: HttpRequest, form: Any, formsets: list[BaseModelFormSet], change: bool) -> None:
        """Store arms and ramp with the trail."""
        super().save_related(request, form, formsets, change)
        phase: Phase = form.instance
        after = configuration_of(phase)
        if after != form.before:
            by = request.user.get_username()
            record(phase.experiment, "edit", by, phase=phase, before=form.before, after=after)

    def message_user(
        self, request: HttpRequest, message: Any, level: int | str = messages.INFO, *args: Any, **kwargs: Any
    ) -> None:
        """Say in one message that a draft is stored and what it lacks for its start, that first."""
        phase = _stored(self, request) if level == messages.SUCCESS else None
        missing = " ".join(start_problems(phase.experiment, phase)) if phase else ""
        if missing:
            message, level = f"It cannot start yet: {missing} The draft is stored as it is.", messages.WARNING
        super().message_user(request, message, level, *args, **kwargs)

    @admin.display(description="experiment")
    def of_experiment(self, phase: Phase) -> SafeString:
        """Link to its page, where it is started."""
        url = reverse("admin:recommender_app_experiment_change", args=[phase.experiment_id])
        return format_html('<a href="{}">{}</a>', url, phase.experiment.key)

    @admin.display(description="units")
    def units(self, phase: Phase) -> SafeString | str:
        """How many are in each arm, how many of them were shown something, and how many are left out."""
        rows = phase.arms.order_by("pk").annotate(
            n=Count("assignments"),
            exposed=Count("assignments", filter=Q(assignments__first_exposed_at__isnull=False)),
            excluded=Count("assignments", filter=~Q(assignments__excluded_reason="")),
        )
        shown = [(arm.key, arm.n, arm.exposed, arm.excluded) for arm in rows] if phase.started_at else []
        return html_table(("arm", "assigned", "exposed", "left out"), shown) if shown else "-"
