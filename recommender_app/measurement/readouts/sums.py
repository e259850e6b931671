"""Sums over the users of each arm of their totals, and of the squares of those, by the database.

Whoever has an answer in the log with the arm counts, from the first such answer on, whatever
engine served; units that are excluded count in no arm.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.db.models import (
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Cast, Coalesce

from recommender_app.experiments.exposures import logged_as
from recommender_app.experiments.metrics import Metric
from recommender_app.measurement.intervals import Totals
from recommender_app.models import Assignment, Phase, RollUp
from recommender_app.registry.database import alias

SUMS = ("n", "y", "x", "yy", "xx", "xy")


def arm_rows(phase: Phase, as_of: date) -> QuerySet[RollUp]:
    """Return the roll-ups of a phase up to a day, of units that count."""
    # NOT EXISTS and not NOT IN: that one is quadratic where more units are excluded than fit into memory.
    units = Assignment.objects.using(alias()).filter(phase=phase).exclude(excluded_reason="")
    excluded = units.annotate(logged_as=logged_as()).filter(logged_as=OuterRef("user_id"))
    rows = _of_phase(phase).filter(day__lte=as_of)
    return rows.exclude(user_id="").filter(~Exists(excluded)).order_by()


def within_window(rows: QuerySet[RollUp], phase: Phase, as_of: date) -> QuerySet[RollUp]:
    """Return of ``arm_rows`` the days that count for outcomes: all, or the first ``window_days`` of each unit.

    They begin with the day of its first answer; a unit that has not had them all yet does not count.
    """
    n_days = phase.experiment.window_days
    if not n_days:
        return rows
    of_unit = _of_phase(phase).filter(user_id=OuterRef("user_id"), requests__gt=0).order_by().values("user_id")
    age = ExpressionWrapper(F("day") - F("first_day"), DurationField())
    first = Subquery(of_unit.annotate(first=Min("day")).values("first"))
    counted = rows.alias(first_day=first).alias(age=age)
    return counted.filter(age__lt=timedelta(days=n_days), first_day__lte=as_of - timedelta(days=n_days - 1))


def _of_phase(phase: Phase) -> QuerySet[RollUp]:
    experiment = phase.experiment
    rows = RollUp.objects.using(alias()).filter(use_case=experiment.use_case)
    return rows.filter(experiment=experiment.key, phase=phase.number)


def user_totals(rows: QuerySet[RollUp]) -> QuerySet[RollUp, Any]:
    """Return one row per user with the totals ``total_<field>`` of everything that metrics are made of."""
    names = ("requests", "fallbacks", "impressions", "clicks", "conversions", "likes", "dislikes", "ratings",
             "ratings_sum", "sessions", "session_seconds", "diversity_sum", "diversities")  # fmt: skip
    totals: dict[str, Any] = {f"total_{name}": Cast(Sum(name), FloatField()) for name in names}
    totals["total_opinions"] = Cast(Sum(F("likes") + F("dislikes")), FloatField())
    return rows.values("user_id").annotate(**totals)


def sums_of(rows: QuerySet[RollUp], metrics: Sequence[Metric]) -> dict[str, Totals]:
    """Return {metric: sums over the users with x > 0} of some roll-ups; one query.

    Args:
        metrics: whose y and x are fields of ``RollUp`` or "opinions".
    """
    wanted = {f"{metric.key}__{name}": each for metric in metrics for name, each in _aggregates(metric).items()}
    found = user_totals(rows).aggregate(**wanted)
    return {metric.key: Totals(*(_number(name, found[f"{metric.key}__{name}"]) for name in SUMS)) for metric in metrics}


def _aggregates(metric: Metric) -> dict[str, Any]:
    y, x, counts = F(f"total_{metric.y}"), F(f"total_{metric.x}"), Q(**{f"total_{metric.x}__gt": 0})
    products = {"y": y, "x": x, "yy": y * y, "xx": x * x, "xy": x * y}
    sums: dict[str, Any] = {name: Coalesce(Sum(each, filter=counts), 0.0) for name, each in products.items()}
    return {"n": Count("user_id", filter=counts), **sums}


def _number(name: str, value: float) -> Any:
    return int(value) if name == "n" else float(value)
