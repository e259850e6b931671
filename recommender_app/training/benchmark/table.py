"""A benchmark's result as one table, and as JSON."""

from __future__ import annotations

import math
from typing import Any

from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.evaluation.intervals import estimate
from recommender_app.evaluation.report import text_table
from recommender_app.evaluation.study_tables import estimate_json, format_difference, format_interval
from recommender_app.training.benchmark.run import BenchmarkResult

EXPLANATION = (
    "[..] = 95 % bootstrap interval over users; differences are paired by user, against the best single engine. "
    "Peak memory is that of a fresh process that loads the data, trains and ranks, libraries included."
)


def shown_metrics(result: BenchmarkResult) -> list[str]:
    """Return the metrics of the table: recall and NDCG at one length, recall at all lengths for several."""
    if len(result.ks) == 1:
        return [f"recall@{result.ks[0]}", f"ndcg@{result.ks[0]}"]
    return [f"recall@{k}" for k in result.ks]


def result_text(result: BenchmarkResult, seed: int) -> str:
    """Return a table per set of candidates, how it was measured, and who is missing."""
    parts = [_table(result, evaluation, seed) for evaluation in result.evaluations.values()]
    notes = [result.test_use, EXPLANATION]
    notes += [f"{engine} is left out: {why}" for engine, why in result.left_out.items()]
    return "\n\n".join([*parts, "\n".join(notes)])


def _table(result: BenchmarkResult, evaluation: Evaluation, seed: int) -> str:
    metrics = shown_metrics(result)
    compared = metrics if len(result.ks) == 1 else metrics[-1:]
    found = estimate(evaluation, metrics, seed)
    header = ["engine"]
    for metric in metrics:
        header += [f"{metric} [95 %]", "vs best single"] if metric in compared else [f"{metric} [95 %]"]
    body = []
    for engine, of_metric in found.items():
        cells = [engine]
        for metric in metrics:
            cells.append(format_interval(of_metric[metric].interval))
            if metric in compared:
                cells.append(format_difference(of_metric[metric]))
        body.append([*cells, *_costs(result, engine)])
    return text_table([*header, "train s", "peak MB", "users/s"], body) + f"\n({evaluation.protocol})"


def _costs(result: BenchmarkResult, engine: str) -> list[str]:
    cost = result.costs[engine]
    memory = "-" if cost.peak_mb is None else f"{cost.peak_mb:.0f}"
    speed = "-" if math.isnan(cost.users_per_second) else f"{cost.users_per_second:.0f}"
    return [f"{cost.train_seconds:.1f}", memory, speed]


def result_json(result: BenchmarkResult, seed: int) -> dict[str, Any]:
    """Return everything that was measured, as JSON values."""
    return {
        "seed": seed,
        "test_use": result.test_use,
        "measured": {
            name: _evaluation_json(evaluation, result, seed) for name, evaluation in result.evaluations.items()
        },
        "costs": {
            engine: {
                "train_seconds": cost.train_seconds,
                "peak_mb": cost.peak_mb,
                "users_per_second": _known(cost.users_per_second),
            }
            for engine, cost in result.costs.items()
        },
        "left_out": result.left_out,
        "failures": result.failures,
    }


def _evaluation_json(evaluation: Evaluation, result: BenchmarkResult, seed: int) -> dict[str, Any]:
    found = estimate(evaluation, list(next(iter(evaluation.per_user.values()))), seed)
    return {
        "protocol": evaluation.protocol,
        "n_users": evaluation.n_users,
        "engines": {
            engine: {metric: _known(value) for metric, value in means.items()}
            for engine, means in evaluation.engines.items()
        },
        "intervals": {
            engine: {metric: estimate_json(each) for metric, each in of_metric.items()}
            for engine, of_metric in found.items()
        },
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
