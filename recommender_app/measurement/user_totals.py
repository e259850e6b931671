"""Sums over users of their totals, and of the squares of those, by the database.

A user's totals over the whole time are made first and squared then: the sum of the squares of
single days would pretend that a user's days are independent. Requests of forgotten users are
counted, but make no user: several people share the blank that stands in their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connections
from django.db.models import F, Sum

from recommender_app.measurement.intervals import Rate, Totals, rate_of
from recommender_app.models import RollUp
from recommender_app.registry.database import alias

Key = tuple[Any, ...]

SUMMED = (
    "requests", "fallbacks", "impressions", "seen", "clicks", "conversions", "likes", "dislikes",
    "ratings", "sessions",
)  # fmt: skip
HELPING = ("opinions", "ratings_sum", "session_seconds", "latency_ms_sum", "diversity_sum", "diversities")

_KNOWN = "CASE WHEN user_id <> '' THEN {} ELSE 0 END"  # of a user that was not forgotten

# name: (what is counted, per what, the most that the rate can be)
RATES: dict[str, tuple[str, str, float | None]] = {
    "ctr": ("clicks", "impressions", 1.0),
    "seen_rate": ("seen", "impressions", 1.0),
    "conversion_rate": ("conversions", "impressions", 1.0),
    "satisfaction": ("likes", "opinions", 1.0),
    "mean_rating": ("ratings_sum", "ratings", 5.0),
    "mean_session_seconds": ("session_seconds", "sessions", None),
    "fallback_rate": ("fallbacks", "requests", 1.0),
    "mean_diversity": ("diversity_sum", "diversities", 1.0),
    "mean_latency_ms": ("latency_ms_sum", "requests", None),
}


@dataclass(frozen=True)
class Sums:
    """What the users of a group come to.

    Attributes:
        sums: {"users" or a name of SUMMED: sum}.
        rates: {name of RATES: rate}.
    """

    sums: dict[str, float]
    rates: dict[str, Rate]


def summed_up(use_case: str, first: date, last: date, fields: Sequence[str]) -> dict[Key, Sums]:
    """Return {values of ``fields``: sums} of the days; one query. Without fields there is one group, ()."""
    users, parameters = _totals_of_users(use_case, first, last, fields)
    quote = connections[alias()].ops.quote_name
    columns = [*map(quote, fields), *(sql for _, sql in _outer_columns())]
    grouped = f" GROUP BY {', '.join(map(quote, fields))}" if fields else ""
    # Django groups once per query; names and expressions are our own, values are parameters.
    statement = f"SELECT {', '.join(columns)} FROM ({users}) totals{grouped}"  # noqa: S608
    with connections[alias()].cursor() as cursor:
        cursor.execute(statement, parameters)
        rows = cursor.fetchall()
    return {tuple(row[: len(fields)]): _sums(row[len(fields) :]) for row in rows}


def _totals_of_users(use_case: str, first: date, last: date, fields: Sequence[str]) -> tuple[str, tuple[Any, ...]]:
    rows = RollUp.objects.using(alias()).filter(use_case=use_case, day__range=(first, last)).order_by()
    summed = {f"total_{name}": Sum(name) for name in (*SUMMED, *HELPING) if name != "opinions"}
    summed["total_opinions"] = Sum(F("likes") + F("dislikes"))
    totals = rows.values(*fields, "user_id").annotate(**summed)
    return totals.query.get_compiler(using=alias()).as_sql()


def _outer_columns() -> list[tuple[str, str]]:
    """Return (name, expression) of what is summed over users; in double precision, which squares do not overflow."""
    columns = [("users", f"SUM({_KNOWN.format(1)})"), *((name, _sum(_column(name))) for name in SUMMED)]
    for rate, (y, x, _) in RATES.items():
        y_column, x_column = _KNOWN.format(_column(y)), _KNOWN.format(_column(x))
        columns += [
            (f"{rate}_y", _sum(y_column)),
            (f"{rate}_x", _sum(x_column)),
            (f"{rate}_n", f"SUM(CASE WHEN {x_column} > 0 THEN 1 ELSE 0 END)"),
            (f"{rate}_yy", _sum(f"{y_column} * {y_column}")),
            (f"{rate}_xx", _sum(f"{x_column} * {x_column}")),
            (f"{rate}_xy", _sum(f"{x_column} * {y_column}")),
        ]
    return columns


def _column(name: str) -> str:
    return f"CAST(total_{name} AS DOUBLE PRECISION)"


def _sum(expression: str) -> str:
    return f"COALESCE(SUM({expression}), 0)"


def _sums(values: Sequence[Any]) -> Sums:
    found = {name: float(value or 0) for (name, _), value in zip(_outer_columns(), values, strict=True)}
    rates = {}
    for rate, (_, _, most) in RATES.items():
        squares = (found[f"{rate}_{name}"] for name in ("yy", "xx", "xy"))
        totals = Totals(int(found[f"{rate}_n"]), found[f"{rate}_y"], found[f"{rate}_x"], *squares)
        rates[rate] = rate_of(totals, most=most)
    return Sums({name: int(found[name]) for name in ("users", *SUMMED)}, rates)
