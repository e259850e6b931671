"""Logins, addresses and filled-in forms of the admin's pages of experiments."""

from __future__ import annotations

from django.contrib.auth.models import Permission, User
from django.urls import reverse

from recommender_app.experiments.templates import create_from_template
from recommender_app.models import Experiment, Phase

EDIT = ("add_experiment", "change_experiment", "delete_experiment", "view_experiment")
ALL = (*EDIT, "run_experiments", "view_experiment_results", "view_assignment", "view_experimentchange")


def login(client, *codenames) -> User:
    user = User.objects.create_user("cleo", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return user


def url(page="changelist", *args, model="experiment") -> str:
    return reverse(f"admin:recommender_app_{model}_{page}", args=args)


def planned(template="als_warm", key="test") -> Experiment:
    return create_from_template(template, "books", key, "ann")


def said(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def do(client, experiment: Experiment, move: str, **fields):
    """Confirm a move."""
    data = {"confirmed": "yes", "reason": "because", **fields}
    return client.post(url("do", experiment.pk, move), data, follow=True)


def now(experiment: Experiment) -> Experiment:
    return Experiment.objects.get(pk=experiment.pk)


def plan_form(experiment: Experiment, **fields) -> dict:
    names = (
        "key",
        "name",
        "hypothesis",
        "use_case",
        "unit_type",
        "primary_metric",
        "secondary_metrics",
        "min_days",
        "window_days",
    )
    names = (*names, "alpha", "power", "least_effect", "layer_from", "layer_to")
    return {name: getattr(experiment, name) for name in names} | {"guardrails": "{}", "layer": ""} | fields


def phase_form(phase: Phase, **fields) -> dict:
    """What the page of a phase posts; names as ``arms-0-policy``."""
    data = {"eligibility": "{}", "planned_units": phase.planned_units}
    arms, steps = list(phase.arms.order_by("pk")), list(phase.ramp_steps.order_by("after_days"))
    for prefix, rows in (("arms", arms), ("ramp_steps", steps)):
        data |= {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": len(rows)}
    for place, arm in enumerate(arms):
        values = {"id": arm.pk, "key": arm.key, "weight_bp": arm.weight_bp / 100, "policy": "{}"}
        data |= {f"arms-{place}-{name}": value for name, value in values.items()}
        data |= {f"arms-{place}-is_control": "on"} if arm.is_control else {}
    for place, step in enumerate(steps):
        values = {"id": step.pk, "after_days": step.after_days, "enrol_bp": step.enrol_bp / 100}
        data |= {f"ramp_steps-{place}-{name}": value for name, value in values.items()}
    return {name: value for name, value in (data | fields).items() if value is not None}
