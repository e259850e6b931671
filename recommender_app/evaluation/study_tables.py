"""A study as plain text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from recommender_app.evaluation.compare import Comparison
from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.evaluation.intervals import Estimate, Interval, estimate
from recommender_app.evaluation.report import DEFAULT_METRICS, format_number, metric_table, text_table
from recommender_app.evaluation.study import Study

HEADLINE = "ndcg@10"


def study_text(study: Study, metric: str = HEADLINE) -> str:
    """Return the tables of a study: all metrics, intervals and differences, groups of users."""
    parts = [
        metric_table(study.overall, (*DEFAULT_METRICS, "popularity@10")),
        interval_table(study.overall, metric, study.seed),
        group_table("users by interactions before the cut", study.cohorts, metric),
        group_table("the same users, shorter histories", {**study.shortened, "all": study.overall}, metric),
        *(f"{engine} left out: {reason}" for engine, reason in study.left_out.items()),
    ]
    return "\n\n".join(parts)


def interval_table(evaluation: Evaluation, metric: str, seed: int) -> str:
    """Return one metric of each engine with its interval and its difference to the best single engine."""
    found = {engine: of_metric[metric] for engine, of_metric in estimate(evaluation, [metric], seed).items()}
    body = [[engine, format_interval(each.interval), format_difference(each)] for engine, each in found.items()]
    return text_table([metric, "mean [95 %]", "against the best single engine"], body)


def group_table(title: str, groups: Mapping[str, Evaluation], metric: str) -> str:
    """Return one metric, engines as rows, groups of users as columns."""
    names = list(groups)
    engines = list(groups[names[0]].engines) if names else []
    header = [f"{metric}: {title}", *names]
    body = [[engine, *(format_number(groups[name].engines[engine][metric]) for name in names)] for engine in engines]
    return text_table(header, [["users", *(str(groups[name].n_users) for name in names)], *body])


def format_interval(interval: Interval) -> str:
    """Return ``0.1234 [0.1200, 0.1268]``; "-" for unknown."""
    if math.isnan(interval.mean):
        return "-"
    return f"{interval.mean:.4f} [{interval.low:.4f}, {interval.high:.4f}]"


def format_difference(found: Estimate) -> str:
    """Return the relative difference with its interval, such as ``+4.4 % [+3.5, +5.4]``."""
    if found.difference is None:
        return "best single"
    return format_relative(found.difference)


def format_relative(difference: Comparison) -> str:
    """Return ``+4.4 % [+3.5, +5.4]``; absolute numbers where the baseline is 0; "-" for unknown."""
    if math.isnan(difference.difference):
        return "-"
    if not difference.baseline:
        return f"{difference.difference:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]"
    low, high = (100 * bound / difference.baseline for bound in (difference.low, difference.high))
    return f"{100 * difference.relative:+.1f} % [{low:+.1f}, {high:+.1f}]"


def study_json(study: Study) -> dict[str, Any]:
    """Return everything that was measured, as JSON values; None for a number that is unknown."""
    return {
        **_evaluation_json(study.overall, study.seed),
        "seed": study.seed,
        "cohorts": {name: _evaluation_json(group, study.seed) for name, group in study.cohorts.items()},
        "shortened": {name: _evaluation_json(group, study.seed) for name, group in study.shortened.items()},
        "precision_recall": {
            engine: {"precision": curve.precision.tolist(), "recall": curve.recall.tolist()}
            for engine, curve in study.curves.items()
        },
        "long_tail": {
            "length": study.tail.length,
            "interactions": study.tail.interactions.tolist(),
            "engines": {engine: shares.tolist() for engine, shares in study.tail.engines.items()},
        },
        "left_out": study.left_out,
    }


def _evaluation_json(evaluation: Evaluation, seed: int) -> dict[str, Any]:
    metrics = list(next(iter(evaluation.per_user.values()), {}))
    estimates = estimate(evaluation, metrics, seed)
    return {
        "protocol": evaluation.protocol,
        "n_users": evaluation.n_users,
        "engines": {
            engine: {metric: _number(value) for metric, value in measured.items()}
            for engine, measured in evaluation.engines.items()
        },
        "intervals": {
            engine: {metric: estimate_json(found) for metric, found in of_metric.items()}
            for engine, of_metric in estimates.items()
        },
    }


def estimate_json(found: Estimate) -> dict[str, Any]:
    """Return the interval of a mean, and the paired difference to the best single engine."""
    difference = found.difference
    return {
        "low": _number(found.interval.low),
        "high": _number(found.interval.high),
        "best_single": found.best,
        "difference": None
        if difference is None
        else {
            "mean": _number(difference.difference),
            "low": _number(difference.low),
            "high": _number(difference.high),
        },
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
