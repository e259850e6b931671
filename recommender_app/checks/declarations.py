"""What a declaration must have before anything else about it can be checked."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage

from recommender_app.artifacts.paths import is_name
from recommender_app.checks.events import event_problems
from recommender_app.checks.feedback import feedback_problems
from recommender_app.checks.fields import field_problems
from recommender_app.checks.interactions import interaction_problems
from recommender_app.checks.lookups import id_kind, is_model
from recommender_app.checks.messages import error, label, warning
from recommender_app.checks.names import name_problems
from recommender_app.checks.plugged import plugged_problems
from recommender_app.checks.rules import rule_problems
from recommender_app.checks.values import GATE_WANTED, are_gate_limits
from recommender_app.models.policy_rules import routes_problem
from recommender_app.usecases.declaration import Interactions, UseCase

# The rest can be checked all the same.
HARMLESS = tuple(f"recommender_app.{short}" for short in ("E010", "E016", "E017", "W018"))


def declaration_problems(use_case: UseCase) -> list[CheckMessage]:
    """Return everything that is wrong with a use case; the details only where the outline is sound."""
    outlines = (_key, _routes, _gate, _models, _interactions, name_problems)
    outline = [message for check in outlines for message in check(use_case)]
    if any(message.id not in HARMLESS for message in outline):
        return outline
    checks = (
        interaction_problems,
        event_problems,
        feedback_problems,
        field_problems,
        plugged_problems,
        rule_problems,
    )
    return [*outline, *(message for check in checks for message in check(use_case))]


def duplicate_problems(duplicates: list[tuple[str, type[UseCase]]]) -> list[CheckMessage]:
    """Return one error for each class that was refused because its key was taken."""
    return [
        error(11, refused, f"The key {key!r} belongs to another use case already.", "Give each use case its own key.")
        for key, refused in duplicates
    ]


def undeclared_problems(use_cases: list[UseCase]) -> list[CheckMessage]:
    """Return a warning where nothing is declared: the file is elsewhere, or ``@register`` was forgotten."""
    if use_cases:
        return []
    hint = "Write recommendations.py in an app of INSTALLED_APPS, with @register above each use case."
    return [warning(15, "recommendations.py", "No use case is declared.", hint)]


def _key(use_case: UseCase) -> list[CheckMessage]:
    if is_name(use_case.key):
        return []
    message = f"The key {use_case.key!r} names no use case." if use_case.key else "The use case has no key."
    hint = 'Write key = "movies": up to 64 lower-case letters, digits and underscores; URLs and folders bear it.'
    return [error(10, use_case, message, hint)]


def _routes(use_case: UseCase) -> list[CheckMessage]:
    problem = routes_problem(use_case.routes) if use_case.routes else ""
    hint = 'Write routes = ((0, "content_based"), (5, "als"), (20, "ensemble")), or leave it out.'
    return [error(16, use_case, f"routes is {use_case.routes!r}: {problem}", hint)] if problem else []


def _gate(use_case: UseCase) -> list[CheckMessage]:
    if are_gate_limits(use_case.gate):
        return []
    return [error(17, use_case, f"gate is {use_case.gate!r}.", f"It must be {GATE_WANTED}.")]


def _models(use_case: UseCase) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    for name in ("users", "items"):
        model: Any = getattr(use_case, name, None)
        if not is_model(model):
            hint = f"Write {name} = <a model class of yours>."
            problems.append(error(12, use_case, f"{name} is {_shown(model)}, not a model.", hint))
        elif id_kind(model._meta.pk) is None:
            key = f"{model._meta.label}.{model._meta.pk.name} ({type(model._meta.pk).__name__})"
            hint = "Integer, UUID and text keys work; declare a model with one of them."
            problems.append(error(13, use_case, f"{name} has keys that cannot be external ids: {key}.", hint))
    return problems


def _interactions(use_case: UseCase) -> list[CheckMessage]:
    declared: Any = use_case.interactions
    sources = [declared] if isinstance(declared, Interactions) else declared
    hint = (
        'Write interactions = Interactions(<model>, user="...", item="...", event="...", at="..."), or a list of them.'
    )
    if not isinstance(sources, list | tuple) or not all(isinstance(source, Interactions) for source in sources):
        return [error(14, use_case, f"interactions is {_shown(declared)}.", hint)]
    if not sources:
        return [error(14, use_case, "The use case has no interactions.", hint)]
    return [
        error(14, use_case, f"interactions reads {_shown(source.model)}, which is no model.", hint)
        for source in sources
        if not is_model(source.model)
    ]


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    return label(value) if isinstance(value, type) else repr(value)
