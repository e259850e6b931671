"""The page that asks for a training; a worker does it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from recommender_app.conf import settings
from recommender_app.models import TrainingRun
from recommender_app.registry.runs import request_run
from recommender_app.usecases.site import all_use_cases

REQUEST = "recommender_app.add_trainingrun"
TEMPLATE = "admin/recommender_app/trainingrun/request.html"
TITLE = "Request a training"


def _use_cases() -> list[tuple[str, str]]:
    return [(use_case.key, use_case.label) for use_case in all_use_cases()]


def _engines() -> list[tuple[str, str]]:
    return [(key, key.replace("_", " ")) for key in settings.trainers]


class RequestForm(forms.Form):
    """Which engines of which use case."""

    use_case = forms.ChoiceField(choices=_use_cases)
    engines = forms.MultipleChoiceField(choices=_engines, widget=forms.CheckboxSelectMultiple)


def may_request(request: HttpRequest) -> bool:
    """Whether the user may ask for trainings."""
    return bool(request.user.has_perm(REQUEST))


def request_training(request: HttpRequest, use_case: str, engine: str) -> TrainingRun | None:
    """Ask for a training; twice is once."""
    return request_run(use_case, engine, requested_by=request.user.get_username())


def request_page(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show the form, or ask for what it says and go back to the list."""
    if not may_request(request):
        raise PermissionDenied
    form = RequestForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        use_case = form.cleaned_data["use_case"]
        runs = [request_training(request, use_case, engine) for engine in form.cleaned_data["engines"]]
        messages.success(request, told(runs))
        return HttpResponseRedirect(reverse(f"{model_admin.admin_site.name}:recommender_app_trainingrun_changelist"))
    context: dict[str, Any] = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": TITLE,
        "form": form,
    }
    return TemplateResponse(request, TEMPLATE, context)


def told(runs: list[TrainingRun | None]) -> str:
    """Return what was asked for, and who does it."""
    names = ", ".join(f"{run.use_case} {run.engine} (run {run.pk}, {run.status})" for run in runs if run)
    return f"Asked for: {names or 'nothing'}. A training worker or manage.py recommender_work does it."
