"""The page that starts an A/A test: whether the numbers can be believed."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from recommender_app.admin.experiments_forms import AAForm
from recommender_app.admin.experiments_moves import RUN
from recommender_app.exceptions import RecommenderError
from recommender_app.experiments.templates import start_a_a

ADD = "recommender_app.add_experiment"
TEMPLATE = "admin/recommender_app/experiment/a_a.html"
TITLE = "Start an A/A test"


def may_start_a_a(request: HttpRequest) -> bool:
    """Whether the user may plan and start experiments."""
    return bool(request.user.has_perms((ADD, RUN)))


def a_a_page(model_admin: admin.ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Show the form, or plan and start two equal arms."""
    if not may_start_a_a(request):
        raise PermissionDenied
    initial = {"key": f"a-a-{timezone.now():%Y-%m-%d}"}
    form = AAForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            experiment = start_a_a(**form.cleaned_data, by=request.user.get_username())
        except RecommenderError as error:
            form.add_error(None, str(error))
        else:
            model_admin.log_change(request, experiment, "A/A test started.")
            messages.success(request, f"Started: {experiment} runs.")
            page = f"{model_admin.admin_site.name}:recommender_app_experiment_change"
            return HttpResponseRedirect(reverse(page, args=[experiment.pk]))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "title": TITLE,
        "form": form,
    }
    return TemplateResponse(request, TEMPLATE, context)
