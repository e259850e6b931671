"""Metrics as rows of plain values: one list of columns for CSV, JSON and tables."""

from __future__ import annotations

import csv
import io
from typing import Any

from recommender_app.measurement.metrics import QUANTILES, GroupMetrics, Metrics
from recommender_app.measurement.offline import METRICS
from recommender_app.measurement.user_totals import RATES, SUMMED

COUNTS = ("users", *SUMMED, "distinct_items")
SHOWN = (
    "ctr", "conversion_rate", "satisfaction", "mean_rating", "mean_session_seconds", "fallback_rate",
    "mean_diversity",
)  # fmt: skip
TITLES = (
    "group", "users", "requests", "ctr [95 %]", "conversion", "satisfaction", "rating", "session s", "fallback",
    "diversity", "p50 ms", "p95 ms", "items", "offline precision@10", "ndcg@10", "diversity@10",
)  # fmt: skip
NOTHING = "-"


def as_json(group: GroupMetrics) -> dict[str, Any]:
    """Return a group as JSON values."""
    rates = {
        name: {"value": rate.value, "low": rate.low, "high": rate.high, "n_users": rate.n_users}
        for name, rate in group.rates.items()
    }
    counts = {**group.sums, "distinct_items": group.distinct_items}
    return {"group": group.group, **counts, **rates, **group.latencies, "offline": group.offline}


def as_csv(metrics: Metrics) -> str:
    """Return the groups, then all of them together, as CSV with a line of titles."""
    text = io.StringIO()
    writer = csv.writer(text)
    of_rates = [f"{name}{end}" for name in RATES for end in ("", "_low", "_high")]
    writer.writerow(["group", *COUNTS, *of_rates, *QUANTILES, *(f"offline_{name}" for name in METRICS)])
    writer.writerows(_csv_row(group) for group in (*metrics.groups, metrics.total))
    return text.getvalue()


def table_rows(metrics: Metrics) -> list[list[str]]:
    """Return the rows of a table for people, below TITLES."""
    return [_table_row(group) for group in (*metrics.groups, metrics.total)]


def _csv_row(group: GroupMetrics) -> list[Any]:
    counts = {**group.sums, "distinct_items": group.distinct_items}
    rates = [value for rate in (group.rates[name] for name in RATES) for value in (rate.value, rate.low, rate.high)]
    latencies = [group.latencies[name] for name in QUANTILES]
    return [group.group, *(counts[name] for name in COUNTS), *rates, *latencies, *map(group.offline.get, METRICS)]


def _table_row(group: GroupMetrics) -> list[str]:
    ctr = group.rates["ctr"]
    interval = "" if ctr.low is None else f" [{ctr.low:.4f}, {ctr.high:.4f}]"
    return [
        group.group,
        f"{group.sums['users']:,}",
        f"{group.sums['requests']:,}",
        _shown(ctr.value) + interval,
        *(_shown(group.rates[name].value) for name in SHOWN[1:]),
        *(_shown(group.latencies[name]) for name in ("latency_ms_p50", "latency_ms_p95")),
        f"{group.distinct_items:,}",
        *(_shown(group.offline.get(name)) for name in ("precision@10", "ndcg@10", "diversity@10")),
    ]


def _shown(value: float | None) -> str:
    if value is None:
        return NOTHING
    return f"{value:.4f}" if value < 10 else f"{value:.1f}"
