"""Experiments: planned from a template, started, ramped, stopped and concluded."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from recommender_app.admin.confirmation import confirmation_page, is_confirmed, reason_of
from recommender_app.admin.experiments_a_a import a_a_page, may_start_a_a
from recommender_app.admin.experiments_forms import CreateForm, PlanForm
from recommender_app.admin.experiments_moves import MOVES, RESULTS, RUN, Move, in_the_way, moves_for, newest_phase, told
from recommender_app.admin.filters import UseCaseFilter
from recommender_app.admin.refusals import SaysRefusals
from recommender_app.exceptions import RecommenderError
from recommender_app.experiments.templates import create_from_template
from recommender_app.experiments.trail import plan_of, record
from recommender_app.models import Experiment, Phase


@admin.register(Experiment)
class ExperimentAdmin(SaysRefusals, admin.ModelAdmin):
    """Experiments; what has been started is only looked at here, and moved by its buttons."""

    form = PlanForm
    list_display = ("key", "name", "use_case", "status", "phase_now", "enrolled", "winner", "arms")
    list_filter = ("status", UseCaseFilter)
    search_fields = ("key", "name", "hypothesis")
    readonly_fields = ("status", "winner", "all_phases", "created_by", "created_at")
    fieldsets = (
        (None, {"fields": ("key", "name", "hypothesis", "use_case", "unit_type", "status", "winner", "all_phases")}),
        (
            "How it is judged",
            {"fields": ("primary_metric", "secondary_metrics", "guardrails", ("min_days", "window_days"))},
        ),
        ("How sure", {"fields": (("alpha", "power", "least_effect"),)}),
        ("Beside others", {"fields": ("layer", ("layer_from", "layer_to"))}),
        ("Row", {"fields": ("created_by", "created_at")}),
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the moves and of the A/A test."""
        move, a_a = (self.admin_site.admin_view(view) for view in (self.move_view, self.a_a_view))
        pages = [
            path("a-a/", a_a, name="recommender_app_experiment_a_a"),
            path("<path:object_id>/do/<slug:move>/", move, name="recommender_app_experiment_do"),
        ]
        return [*pages, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Experiment]:
        """Fetch phases and arms together."""
        phases = Phase.objects.order_by("number").prefetch_related("arms")
        experiments: QuerySet[Experiment] = super().get_queryset(request)
        return experiments.select_related("layer").prefetch_related(Prefetch("phases", phases))

    def get_form(self, request: HttpRequest, obj: Experiment | None = None, change: bool = False, **kwargs: Any) -> Any:
        """A new one asks for a template only."""
        return super().get_form(request, obj, change, **kwargs) if obj else CreateForm

    def get_fieldsets(self, request: HttpRequest, obj: Experiment | None = None) -> Any:
        """A new one asks for a template only."""
        return super().get_fieldsets(request, obj) if obj else ((None, {"fields": ("template", "use_case", "key")}),)

    def has_change_permission(self, request: HttpRequest, obj: Experiment | None = None) -> bool:
        """Nobody, once it has been started."""
        return super().has_change_permission(request, obj) and not _was_started(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Experiment | None = None) -> bool:
        """Nobody, once it has been started."""
        return super().has_delete_permission(request, obj) and not _was_started(obj)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the buttons of what may be done now, to those who may."""
        experiment = self.get_object(request, object_id)
        moves = moves_for(experiment, newest_phase(experiment)) if experiment and _may_run(request) else {}
        kwargs["extra_context"] = {**(kwargs.get("extra_context") or {}), "moves": moves}
        return super().change_view(request, object_id, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the button of the A/A test to those who may start one."""
        context = {**(extra_context or {}), "may_start_a_a": may_start_a_a(request)}
        return super().changelist_view(request, context)

    def move_view(self, request: HttpRequest, object_id: str, move: str) -> HttpResponse:
        """Ask, then do it."""
        experiment = self.get_object(request, object_id)
        if not (_may_run(request) and self.has_view_permission(request, experiment)):
            raise PermissionDenied
        phase = newest_phase(experiment) if experiment else None
        chosen = MOVES.get(move)
        if experiment is None or phase is None or chosen is None:
            raise Http404("There is nothing to do here.")
        problems = in_the_way(experiment, phase, move) if request.method == "GET" else []
        form = chosen.form(request.POST if request.method == "POST" else None, phase) if chosen.form else None
        if is_confirmed(request, needs_reason=chosen.needs_reason) and (form is None or form.is_valid()):
            return self._do(request, experiment, phase, chosen, form.cleaned_data if form else {})
        return confirmation_page(
            self,
            request,
            [experiment],
            action=move,
            title=f"{chosen.label}: {experiment.key}",
            question=" ".join(["It cannot be done yet.", *problems]) if problems else chosen.question,
            lines=told(experiment, phase, move, may_read=request.user.has_perm(RESULTS)),
            needs_reason=chosen.needs_reason,
            form=form,
            is_possible=not problems,
        )

    def _do(self, request: HttpRequest, experiment: Experiment, phase: Phase, move: Move, values: Any) -> HttpResponse:
        try:
            said = move.do(experiment, phase, values, reason_of(request), request.user.get_username())
        except RecommenderError as error:
            self.message_user(request, f"Not done: {error}", messages.ERROR)
        else:
            self.log_change(request, experiment, said)
            self.message_user(request, said, messages.SUCCESS)
        return self._back(experiment)

    def a_a_view(self, request: HttpRequest) -> HttpResponse:
        """Plan and start two equal arms."""
        return a_a_page(self, request)

    def _back(self, experiment: Experiment) -> HttpResponse:
        name = f"{self.admin_site.name}:recommender_app_experiment_change"
        return HttpResponseRedirect(reverse(name, args=[experiment.pk]))

    def save_model(self, request: HttpRequest, obj: Experiment, form: Any, change: bool) -> None:
        """Plan a new one from its template; store an edit with the trail."""
        by = request.user.get_username()
        if not change:
            template = form.cleaned_data["template"]
            obj.__dict__.update(create_from_template(template, obj.use_case, obj.key, by).__dict__)
            return
        before = plan_of(Experiment.objects.get(pk=obj.pk))
        obj.save()
        record(obj, "edit", by, phase=newest_phase(obj), before=before, after=plan_of(obj))

    def delete_model(self, request: HttpRequest, obj: Experiment) -> None:
        """Delete a draft; what it said stays in the trail."""
        record(obj, "delete", request.user.get_username(), before=plan_of(obj))
        obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Experiment]) -> None:
        """Delete each with its trail."""
        for experiment in queryset:
            self.delete_model(request, experiment)

    @admin.display(description="phase")
    def phase_now(self, experiment: Experiment) -> str:
        """The newest one, and what it does."""
        phase = _last(experiment)
        return "-" if phase is None else f"{phase.number}: {_state(phase)}"

    @admin.display
    def enrolled(self, experiment: Experiment) -> str:
        """Share of the eligible units."""
        phase = _last(experiment)
        return "-" if phase is None or phase.started_at is None else _per_cent(phase.enrol_bp)

    @admin.display
    def arms(self, experiment: Experiment) -> str:
        """Keys and weights."""
        phase = _last(experiment)
        return ", ".join(f"{arm.key} {_per_cent(arm.weight_bp)}" for arm in phase.arms.all()) if phase else "-"

    @admin.display(description="phases")
    def all_phases(self, experiment: Experiment) -> SafeString | str:
        """Links to the pages with the arms and the ramp, and to what came of it."""
        rows = [
            (reverse("admin:recommender_app_phase_change", args=[phase.pk]), phase.number, _state(phase), _found(phase))
            for phase in experiment.phases.all()
        ]
        return format_html_join("", '<p><a href="{}">Phase {}</a>: {}{}</p>', rows) or "-"


def _may_run(request: HttpRequest) -> bool:
    return bool(request.user.has_perm(RUN))


def _last(experiment: Experiment) -> Phase | None:
    return next(reversed(experiment.phases.all()), None)


def _was_started(experiment: Experiment | None) -> bool:
    return experiment is not None and any(phase.started_at for phase in experiment.phases.all())


def _found(phase: Phase) -> SafeString | str:
    """Return links to the snapshots and assignments of a phase that was started."""
    names = ("snapshot", "assignment") if phase.started_at else ()
    rows = [(reverse(f"admin:recommender_app_{name}_changelist"), phase.pk, name) for name in names]
    return format_html_join("", ' · <a href="{}?phase={}">{}s</a>', rows)


def _per_cent(basis_points: int) -> str:
    return f"{basis_points / 100:g}\N{NO-BREAK SPACE}%"


def _state(phase: Phase) -> str:
    if phase.started_at is None:
        return "draft"
    if phase.ended_at is not None:
        return f"ended. {phase.end_reason}".strip()
    return "running" if phase.is_enrolling else "paused"
