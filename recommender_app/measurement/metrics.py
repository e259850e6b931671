"""Metrics of a time, from the roll-ups alone: four queries, however long the request log is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils import timezone

from recommender_app.measurement.days import day_of, days_from
from recommender_app.measurement.distinct import DistinctItems
from recommender_app.measurement.intervals import Rate
from recommender_app.measurement.latency import from_json, quantile
from recommender_app.measurement.offline import OfflineMetrics, offline_metrics
from recommender_app.measurement.user_totals import Key, Sums, summed_up
from recommender_app.models import RolledUpDay, RollUpShape
from recommender_app.registry.database import alias
from recommender_app.usecases.site import get_use_case

BY: dict[str, tuple[str, ...]] = {
    "engine": ("engine",),
    "version": ("engine", "model_version"),
    "arm": ("experiment", "phase", "arm"),
    "day": ("day",),
    "day_engine_arm": ("day", "engine", "experiment", "phase", "arm"),
}
QUANTILES = {"latency_ms_p50": 0.5, "latency_ms_p95": 0.95, "latency_ms_p99": 0.99}
NO_EXPERIMENT = "in no experiment"
UNDECLARED = Rate(None, None, None, 0)  # of conversions where the use case names no event as one


@dataclass(frozen=True)
class GroupMetrics:
    """What came of the answers of a group.

    Attributes:
        group: its name: an engine, a version, ``experiment/phase/arm``, a day, all three of them, or "all".
        sums: {name: sum}, "users" among them.
        rates: {name: rate with its interval}, see ``user_totals.RATES``.
        latencies: {name of a quantile: milliseconds}; None where nothing was timed.
        distinct_items: different items that were shown, about.
        offline: {metric: value} of the version when it was trained; of an engine, its live version.
    """

    group: str
    sums: dict[str, float]
    rates: dict[str, Rate]
    latencies: dict[str, float | None]
    distinct_items: int
    offline: dict[str, float]


@dataclass(frozen=True)
class Metrics:
    """The metrics of a use case.

    Attributes:
        first, last: days of UTC, both included.
        groups: in the order of their names.
        total: of all groups together.
        days_missing: days among them, from the first one ever rolled up to today, that are not.
    """

    use_case: str
    first: date
    last: date
    by: str
    groups: list[GroupMetrics]
    total: GroupMetrics
    days_missing: int


@dataclass
class _Shape:
    latencies: Counter[int] = field(default_factory=Counter)
    items: DistinctItems = field(default_factory=DistinctItems)


def metrics_of(use_case: str, first: date, last: date, by: str) -> Metrics:
    """Return what the answers of some days came to, by what ``BY`` names."""
    fields = BY[by]
    sums = summed_up(use_case, first, last, fields)
    shapes = _shapes(use_case, first, last, fields)
    offline = offline_metrics(use_case, by)
    (total,) = summed_up(use_case, first, last, ()).values()
    if not get_use_case(use_case).conversions:
        for each in (*sums.values(), total):
            each.rates["conversion_rate"] = UNDECLARED
    groups = [_group(_name(key), each, shapes[key], offline) for key, each in sums.items()]
    in_order = sorted(groups, key=lambda group: group.group)
    return Metrics(
        use_case, first, last, by, in_order, _group("all", total, shapes[()], {}), _days_missing(use_case, first, last)
    )


def _days_missing(use_case: str, first: date, last: date) -> int:
    """Return how many of the days are not rolled up, from the first one that ever was, until today."""
    rows = RolledUpDay.objects.using(alias()).filter(use_case=use_case)
    done = set(rows.filter(day__lte=last).values_list("day", flat=True))  # the log's first day is rolled up first
    if not done:
        return 0
    return len(set(days_from(max(first, min(done)), min(last, day_of(timezone.now())))) - done)


def _shapes(use_case: str, first: date, last: date, fields: Sequence[str]) -> dict[Key, _Shape]:
    """Return the shapes by group, and of all of them under the empty key."""
    shapes: defaultdict[Key, _Shape] = defaultdict(_Shape)
    rows = RollUpShape.objects.using(alias()).filter(use_case=use_case, day__range=(first, last)).order_by()
    for *key, latencies, items in rows.values_list(*fields, "latencies", "items").iterator():
        for each in {tuple(key), ()}:
            shapes[each].latencies.update(from_json(latencies))
            shapes[each].items.unite(items)
    return shapes


def _group(name: str, sums: Sums, shape: _Shape, offline: OfflineMetrics) -> GroupMetrics:
    latencies = {title: quantile(shape.latencies, share) for title, share in QUANTILES.items()}
    return GroupMetrics(name, sums.sums, sums.rates, latencies, shape.items.count(), offline.get(name, {}))


def _name(key: tuple[Any, ...]) -> str:
    """Return the name of a group: of a version its own, of an engine without versions the engine's."""
    if len(key) == 5:
        return ", ".join((str(key[0]), key[1], _name(key[2:])))
    if len(key) == 1:
        return str(key[0])
    if len(key) == 2:
        return key[1] or key[0]
    experiment, phase, arm = key
    return f"{experiment}/{phase}/{arm}" if experiment else NO_EXPERIMENT
