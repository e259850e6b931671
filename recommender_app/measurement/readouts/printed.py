"""A snapshot as people read it in a terminal: a table of its rows, and sentences beside it."""

from __future__ import annotations

from typing import Any

from recommender_app.experiments.metrics import METRICS
from recommender_app.experiments.statistics.read_out import ReadOut
from recommender_app.experiments.statistics.wording import change, gap, value
from recommender_app.models import Snapshot

from .tables import Row, arms_of, rows_of

TITLES = ("metric", "arm", "users", "value", "against control", "interval", "p adjusted", "planned look")
NOTHING = "-"


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
    metric = METRICS[snapshot.results["primary"][0]["metric"]]
    together = snapshot.results["all_phases"]
    told = {
        arm: change(ReadOut(**together[arm]), is_share=metric.is_share)
        for arm in arms_of(snapshot.results)
        if arm in together
    }
    return [f"All phases together, {metric.label} of {arm}: {each}" for arm, each in told.items()]


def _guardrail(metric: str, arm: str, said: dict[str, Any] | None) -> str:
    if said is None:
        return f"{METRICS[metric].label} of {arm}: undecided (the users do not tell yet)"
    values = f"{_rate(metric, said['treatment'])} against {_rate(metric, said['control'])}"
    return f"{METRICS[metric].label} of {arm}: {said['safety']} ({values})"


def _table_row(row: Row) -> list[str]:
    planned = NOTHING if row["fixed_p_adjusted"] is None else f"p {row['fixed_p_adjusted']:.3g}"
    return [
        f"{METRICS[row['metric']].label} ({row['role']})",
        row["arm"],
        f"{row['users']:,}",
        _rate(row["metric"], row["value"]),
        _change(row),
        _interval(row),
        NOTHING if row["p_adjusted"] is None else f"{row['p_adjusted']:.3g}",
        planned,
    ]


def _change(row: Row) -> str:
    if row["relative"] is not None:
        return f"{row['relative']:+.1%}"
    return NOTHING if row["difference"] is None else _gap(row, "difference") + _unit(row)


def _interval(row: Row) -> str:
    if row["low"] is None:
        return NOTHING
    if row["relative_low"] is not None:
        return f"[{row['relative_low']:+.1%}, {row['relative_high']:+.1%}]"
    return f"[{_gap(row, 'low')}, {_gap(row, 'high')}]{_unit(row)}"


def _gap(row: Row, name: str) -> str:
    return gap(row[name], is_share=METRICS[row["metric"]].is_share)


def _unit(row: Row) -> str:
    return " points" if METRICS[row["metric"]].is_share else ""


def _rate(metric: str, rate: float | None) -> str:
    return NOTHING if rate is None else value(rate, is_share=METRICS[metric].is_share)
