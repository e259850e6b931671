"""Every engine trained and measured on a folder, one after the other, each in a process of its own."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recommender_app.conf import settings
from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.exceptions import NotEnoughData, RecommenderError, TrainingError
from recommender_app.trainers.base import Progress, silent
from recommender_app.training.benchmark.folder import BenchmarkData
from recommender_app.training.benchmark.job import Answer, data_folder, run_job
from recommender_app.training.stages import stage
from recommender_app.training.trainers import build_config, load_trainer

COLD_KS = (20, 50, 100)


@dataclass(frozen=True)
class Cost:
    """What an engine took; see ``job.Answer``."""

    train_seconds: float
    peak_mb: float | None
    users_per_second: float


@dataclass(frozen=True)
class BenchmarkResult:
    """What was measured on a folder.

    Attributes:
        evaluations: {candidates' name: all engines on the same users}.
        costs: {engine: what it took}.
        left_out: {engine: why it cannot be measured on these data}.
        failures: {engine: why it failed although it was asked for}.
        ks: list lengths.
        test_use: how the test part was used.
    """

    evaluations: dict[str, Evaluation]
    costs: dict[str, Cost]
    left_out: dict[str, str]
    failures: dict[str, str]
    ks: tuple[int, ...]
    test_use: str


def run_benchmark(
    data: BenchmarkData,
    engine_keys: Sequence[str],
    *,
    ks: Sequence[int],
    seed: int,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    required: Collection[str] = (),
    progress: Progress = silent,
) -> BenchmarkResult:
    """Train and measure each engine; one that fails does not stop the others.

    Args:
        required: engines whose absence is a failure.

    Raises:
        ConfigurationError: an unknown engine or option.
        TrainingError: no engine could be measured.
    """
    chosen = overrides or {}
    jobs = {key: _job(key, chosen.get(key, {}), data, ks, seed) for key in engine_keys}
    answers: dict[str, Answer] = {}
    refused: dict[str, str] = {}
    failed: set[str] = set()
    with data_folder(data) as folder:
        for key, job in jobs.items():
            try:
                answers[key] = _run(folder, key, job, data, required, stage(progress, key))
            except RecommenderError as error:
                refused[key] = str(error)
                if key in required or not isinstance(error, NotEnoughData):
                    failed.add(key)
    if not answers:
        raise TrainingError("No engine could be measured: " + "; ".join(f"{key}: {refused[key]}" for key in refused))
    return BenchmarkResult(
        {name: _together(name, answers) for name in data.candidates},
        {key: Cost(found.train_seconds, found.peak_mb, found.users_per_second) for key, found in answers.items()},
        {key: why for key, why in refused.items() if key not in failed},
        {key: why for key, why in refused.items() if key in failed},
        tuple(ks),
        data.test_use,
    )


def _run(
    folder: Path, key: str, job: dict[str, Any], data: BenchmarkData, required: Collection[str], progress: Progress
) -> Answer:
    if key == "trending" and not data.has_times and key not in required:
        raise NotEnoughData("the interactions have no times.")
    return run_job(folder, job, progress)


def _job(key: str, overrides: Mapping[str, Any], data: BenchmarkData, ks: Sequence[int], seed: int) -> dict[str, Any]:
    return {
        "trainer": settings.trainers[key],
        "config": build_config(load_trainer(key), overrides).to_json(),
        "seed": seed,
        "ks": list(ks),
        "min_history": data.min_history,
        "description": data.split.description,
        "candidates": list(data.candidates),
    }


def _together(name: str, answers: Mapping[str, Answer]) -> Evaluation:
    first = next(iter(answers.values())).measured[name]
    engines = {
        key: {metric: math.nan if value is None else value for metric, value in answer.measured[name]["means"].items()}
        for key, answer in answers.items()
    }
    per_user = {key: answer.measured[name]["per_user"] for key, answer in answers.items()}
    return Evaluation(engines, per_user, first["user_rows"], first["protocol"])
