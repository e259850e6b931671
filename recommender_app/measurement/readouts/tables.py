"""Snapshots as rows of plain values: one list of columns for CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from recommender_app.experiments.metrics import METRICS
from recommender_app.models import Snapshot

COLUMNS = (
    "experiment", "phase", "as_of", "verdict", "metric", "role", "arm", "users", "value", "difference", "low", "high",
    "relative", "relative_low", "relative_high", "p_value", "p_adjusted", "fixed_low", "fixed_high", "fixed_p_value",
    "fixed_p_adjusted",
)  # fmt: skip
Row = dict[str, Any]


def rows_of(snapshot: Snapshot) -> Iterator[Row]:
    """Yield a row for each metric and arm, control first, the primary metric first."""
    results = snapshot.results
    compared = {(each["metric"], each["arm"]): each for name in ("primary", "secondary") for each in results[name]}
    for metric in metrics_of(results):
        for arm in arms_of(results):
            of_metric = results["arms"][arm]["metrics"][metric]
            yield {
                **dict.fromkeys(COLUMNS),
                "experiment": snapshot.phase.experiment.key,
                "phase": snapshot.phase.number,
                "as_of": str(snapshot.as_of),
                "verdict": snapshot.verdict,
                "metric": metric,
                "role": _role(snapshot, metric),
                "arm": arm,
                "users": of_metric["n"],
                "value": of_metric["value"],
                **_compared(compared.get((metric, arm))),
            }


def arms_of(results: dict[str, Any]) -> list[str]:
    """Return the arms of a snapshot's results, control first; PostgreSQL's JSON keeps keys in an order of its own."""
    control = [arm for arm, told in results["arms"].items() if told["is_control"]]
    return [*control, *(each["arm"] for each in results["primary"])]


def metrics_of(results: dict[str, Any]) -> list[str]:
    """Return the metrics of a snapshot's results: the primary one first."""
    primary = results["primary"][0]["metric"]
    every = next(iter(results["arms"].values()))["metrics"]
    return [primary, *(key for key in METRICS if key in every and key != primary)]


def as_csv(snapshots: list[Snapshot]) -> str:
    """Return snapshots as CSV with a line of titles."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for snapshot in snapshots:
        writer.writerows(rows_of(snapshot))
    return text.getvalue()


def _role(snapshot: Snapshot, metric: str) -> str:
    results = snapshot.results
    if metric == results["primary"][0]["metric"]:
        return "primary"
    if any(each["metric"] == metric for each in results["secondary"]):
        return "secondary"
    return "guardrail" if metric in snapshot.phase.experiment.guardrails else "watched"


def _compared(each: dict[str, Any] | None) -> Row:
    """Return what a comparison adds to a row: nothing for control, and where the users do not tell."""
    if each is None or each["always_valid"] is None:
        return {}
    names = ("difference", "low", "high", "relative", "relative_low", "relative_high", "p_value")
    row: Row = {name: each["always_valid"][name] for name in names}
    row["p_adjusted"] = each["p_adjusted"]
    if each["fixed"]:
        row |= {f"fixed_{name}": each["fixed"][name] for name in ("low", "high", "p_value")}
        row["fixed_p_adjusted"] = each.get("fixed_p_adjusted")
    return row
