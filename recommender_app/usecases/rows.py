"""Which rows of a host's table are interactions, under names of our own.

History, eligibility and export read through ``interaction_rows`` only, so that they cannot
disagree about what happened.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import CharField, F, FloatField, Model, QuerySet
from django.db.models.functions import Cast
from django.utils import timezone

from recommender_app.usecases.declaration import Interactions

USER, ITEM, EVENT = "recommender_user", "recommender_item", "recommender_event"
STRENGTH, TIME = "recommender_strength", "recommender_time"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def interaction_rows(source: Interactions, events: Collection[str]) -> QuerySet[Any]:
    """Return the rows of a source whose event is one of ``events``, unordered.

    Annotated with USER and ITEM (primary keys), EVENT (text), STRENGTH (float) and TIME. Rows
    without a user, item or time are left out: they have not happened to anything.
    """
    rows = source.model._default_manager.order_by().annotate(
        **{
            USER: F(key_path(source.model, source.user)),
            ITEM: F(key_path(source.model, source.item)),
            EVENT: Cast(source.event_expression(), CharField()),
            STRENGTH: Cast(source.strength_expression(), FloatField()),
            TIME: F(source.at),
        }
    )
    is_there = {f"{name}__isnull": False for name in (USER, ITEM, TIME)}
    return rows.filter(**{f"{EVENT}__in": list(events)}, **is_there)


def key_path(model: type[Model], path: str) -> str:
    """Return the lookup of the primary key that ``path`` leads to; a foreign key may use another column."""
    return f"{path}__pk" if fields_along(model, path)[-1].is_relation else path


def fields_along(model: Any, path: str) -> list[Any]:
    """Return the model fields that a lookup such as ``position__startup`` passes.

    Raises:
        FieldDoesNotExist: a part of the path is no field; the system checks find it first.
    """
    fields = []
    for name in path.split("__"):
        field = model._meta.pk if name == "pk" else model._meta.get_field(name)
        fields.append(field)
        model = field.related_model
    return fields


def microseconds(moment: datetime | date) -> int:
    """Return microseconds since 1970 UTC; naive times are in the project's time zone."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time.min)
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment, timezone.get_default_timezone())
    return (moment - _EPOCH) // _MICROSECOND
