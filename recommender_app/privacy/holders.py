"""Which of the app's tables hold ids of users.

A model joins by its fields: ``user_id`` (the external id as text) beside ``use_case``. A field that
names people in another way is listed in KEPT with the reason why it is not deleted; a test finds
every field that is in neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db.models import Model, QuerySet

from recommender_app.usecases.declaration import UseCase

USER_FIELD, USE_CASE_FIELD, ITEM_FIELD = "user_id", "use_case", "item_id"
STAFF = "Says which member of the staff, or which door, did something: an audit trail of the site's own acts."

KEPT: Mapping[tuple[str, str], str] = {  # (model, field) -> why it stays
    ("AnonymousEvent", "session"): "A random number of somebody who has not logged in; its rows go after a week.",
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
    return sorted((model for model in models if _has(model, USER_FIELD)), key=lambda model: model.__name__)


def rows_of(model: type[Model], use_cases: Sequence[UseCase], text: str) -> QuerySet[Any]:
    """Return the rows of a holder that are about one user, whichever manager the model has."""
    keys = [use_case.key for use_case in use_cases]
    return model._base_manager.filter(**{USER_FIELD: text, f"{USE_CASE_FIELD}__in": keys})


def item_holders() -> list[type[Model]]:
    """Return the models whose rows name one item, by name: people, where people are recommended."""
    models = apps.get_app_config("recommender_app").get_models()
    return sorted((model for model in models if _has(model, ITEM_FIELD)), key=lambda model: model.__name__)


def rows_about_item(model: type[Model], use_cases: Sequence[UseCase], text: str) -> QuerySet[Any]:
    """Return the rows that name the person as an item."""
    keys = [use_case.key for use_case in use_cases]
    return model._base_manager.filter(**{ITEM_FIELD: text, f"{USE_CASE_FIELD}__in": keys})


def _has(model: type[Model], name: str) -> bool:
    return any(field.attname == name for field in model._meta.concrete_fields)
