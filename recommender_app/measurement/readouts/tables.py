"""Snapshots as rows of plain values: one list of columns for CSV, JSON and people."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from recommender_app.experiments.metrics import METRICS
from recommender_app.experiments.statistics.read_out import ReadOut
from recommender_app.experiments.statistics.wording import change
from recommender_app.models import Snapshot

COLUMNS = (
    "experiment", "phase", "as_of", "verdict", "metric", "role", "arm", "users", "value", "difference", "low", "high",
    "relative", "relative_low", "relative_high", "p_value", "p_adjusted", "fixed_low", "fixed_high", "fixed_p_value",
    "fixed_p_adjusted",
)  # fmt: skip
TITLES = ("metric", "arm", "users", "value", "against control", "interval", "p adjusted", "planned look")
NOTHING = "-"
Row = dict[str, Any]


def rows_of(snapshot: Snapshot) -> Iterator[Row]:
    """Yield a row for each metric and arm, control first, the primary metric first."""
    results = snapshot.results
    compared = {(each["metric"], each["arm"]): each for name in ("primary", "secondary") for each in results[name]}
    for metric in metrics_of(results):
        for arm, told in results["arms"].items():
            of_metric = told["metrics"][metric]
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


def table_rows(snapshot: Snapshot) -> list[list[str]]:
    """Return the rows of a table for people, below TITLES."""
    return [_table_row(row) for row in rows_of(snapshot)]


def guardrail_lines(snapshot: Snapshot) -> list[str]:
    """Return one sentence for each guardrail and treatment, those of which no user tells included."""
    results = snapshot.results
    told = {(each["metric"], each["arm"]): each for each in results["guardrails"]}
    treatments = [each["arm"] for each in results["primary"]]
    guarded = [key for key in METRICS if key in snapshot.phase.experiment.guardrails]
    return [_guardrail(metric, arm, told.get((metric, arm))) for metric in guarded for arm in treatments]


def all_phases_lines(snapshot: Snapshot) -> list[str]:
    """Return one sentence for each treatment that was compared in earlier phases, too."""
    label = METRICS[snapshot.results["primary"][0]["metric"]].label
    together = snapshot.results["all_phases"].items()
    return [f"All phases together, {label} of {arm}: {change(ReadOut(**each))}" for arm, each in together]


def _guardrail(metric: str, arm: str, said: dict[str, Any] | None) -> str:
    if said is None:
        return f"{METRICS[metric].label} of {arm}: undecided (the users do not tell yet)"
    values = f"{_number(said['treatment'])} against {_number(said['control'])}"
    return f"{METRICS[metric].label} of {arm}: {said['safety']} ({values})"


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


def _table_row(row: Row) -> list[str]:
    planned = NOTHING if row["fixed_p_adjusted"] is None else f"p {row['fixed_p_adjusted']:.3g}"
    return [
        f"{METRICS[row['metric']].label} ({row['role']})",
        row["arm"],
        f"{row['users']:,}",
        _number(row["value"]),
        _change(row, "relative", "difference"),
        _interval(row),
        NOTHING if row["p_adjusted"] is None else f"{row['p_adjusted']:.3g}",
        planned,
    ]


def _change(row: Row, relative: str, absolute: str) -> str:
    if row[relative] is not None:
        return f"{row[relative]:+.1%}"
    return NOTHING if row[absolute] is None else f"{row[absolute]:+.3g}"


def _interval(row: Row) -> str:
    if row["low"] is None:
        return NOTHING
    if row["relative_low"] is not None:
        return f"[{row['relative_low']:+.1%}, {row['relative_high']:+.1%}]"
    return f"[{row['low']:+.3g}, {row['high']:+.3g}]"


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4g}"
