"""Which of the app's tables hold ids of users.

A model joins by its fields: ``user_id`` (the external id as text) beside ``use_case``. Assignments
name users and sessions as units of an experiment: those of the sessions that became the user's are
the user's. A field that names people in another way is listed in KEPT with the reason why it is not
deleted; a test finds every field that is in neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db.models import Model, Q, QuerySet

from recommender_app.models import Assignment, Experiment, IdentityLink
from recommender_app.usecases.declaration import UseCase

USER_FIELD, USE_CASE_FIELD, ITEM_FIELD = "user_id", "use_case", "item_id"
UNIT_FIELD = "unit_id"  # of an assignment: a user or a session
STAFF = "Says which member of the staff, or which door, did something: an audit trail of the site's own acts."

KEPT: Mapping[tuple[str, str], str] = {  # (model, field) -> why it stays
    ("AnonymousEvent", "session"): "A random number of somebody who has not logged in; its rows go after a week.",
    ("Assignment", "unit_type"): "Whether a unit is a user or a session; no id.",
    ("Experiment", "unit_type"): "What an experiment assigns: users or sessions; no id.",
    ("Experiment", "created_by"): STAFF,
    ("ExperimentChange", "changed_by"): STAFF,
    ("IdentityLink", "session"): "Goes with the row of the user that it became.",
    ("ForgottenUser", "user_model"): "The tombstone: the label of a model, no id.",
    ("ForgottenUser", "forgotten_by"): STAFF,
    ("ForgottenUser", "revoked_by"): STAFF,
    ("PolicyChange", "changed_by"): STAFF,
    ("Release", "promoted_by"): STAFF,
    ("ReleaseChange", "by"): STAFF,
    ("RuleChange", "changed_by"): STAFF,
    ("TrainingRun", "requested_by"): STAFF,
}


def holders() -> list[type[Model]]:
    """Return the models whose rows are about one user, by name."""
    models = apps.get_app_config("recommender_app").get_models()
    return sorted((model for model in models if _has(model, USER_FIELD) or model is Assignment), key=_name)


def rows_of(model: type[Model], use_cases: Sequence[UseCase], text: str) -> QuerySet[Any]:
    """Return the rows of a holder that are about one user, whichever manager the model has."""
    keys = [use_case.key for use_case in use_cases]
    if model is Assignment:
        return _units_of(keys, text)
    return model._base_manager.filter(**{USER_FIELD: text, f"{USE_CASE_FIELD}__in": keys})


def item_holders() -> list[type[Model]]:
    """Return the models whose rows name one item, by name: people, where people are recommended."""
    models = apps.get_app_config("recommender_app").get_models()
    return sorted((model for model in models if _has(model, ITEM_FIELD)), key=_name)


def rows_about_item(model: type[Model], use_cases: Sequence[UseCase], text: str) -> QuerySet[Any]:
    """Return the rows that name the person as an item."""
    keys = [use_case.key for use_case in use_cases]
    return model._base_manager.filter(**{ITEM_FIELD: text, f"{USE_CASE_FIELD}__in": keys})


def _has(model: type[Model], name: str) -> bool:
    return any(field.attname == name for field in model._meta.concrete_fields)


def _name(model: type[Model]) -> str:
    return model.__name__


def _units_of(keys: Sequence[str], text: str) -> QuerySet[Assignment]:
    """Return the assignments of a user, and of the sessions that became the user's."""
    linked = IdentityLink.objects.filter(use_case__in=keys, user_id=text).values("session")
    is_user = Q(unit_type=Experiment.UnitType.USER, **{UNIT_FIELD: text})
    is_session = Q(unit_type=Experiment.UnitType.SESSION, **{f"{UNIT_FIELD}__in": linked})
    return Assignment.objects.filter(is_user | is_session, phase__experiment__use_case__in=keys)
