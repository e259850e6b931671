"""What the original plan promised, and what is measured: on real data, under protocols that are named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.folder import read_dataset
from recommender_app.evaluation.compare import compare
from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.evaluation.report import metric_table
from recommender_app.trainers.base import Progress
from recommender_app.training.comparison import compare_engines

ALS_PRECISION = 0.15  # the plan: "ALS Precision@10 > 0.15"
PROMISED_GAIN = 0.15  # the plan: the ensemble is 15-20 % better than either alone
ENGINES = ("popular", "trending", "content_based", "als", "two_tower", "ensemble")
QUICK = ("popular", "trending", "als")
METRICS = ("precision@10", "recall@10", "ndcg@10", "coverage@10", "diversity@10")
SPLITS = ("temporal", "random", "last")

Write = Callable[[str], None]


def measure(dataset_path: Path, seed: int, write: Write, progress: Progress) -> None:
    """Print a table per split, and PASS or FAIL of the plan's promises below each."""
    declared = read_dataset(dataset_path)
    for split in SPLITS:
        overrides = {"ensemble": {"validation": split}}
        evaluation = compare_engines(declared, ENGINES, split, seed=seed, overrides=overrides, progress=progress)
        write("\nMovieLens-100k as declared: 4 and 5 stars are hits, 1 and 2 stars are dislikes")
        _show(evaluation, [als_verdict(evaluation), *ensemble_verdicts(evaluation)], write)
    for split in SPLITS:
        evaluation = compare_engines(every_rating_is_a_hit(declared), QUICK, split, seed=seed, progress=progress)
        write("\nMovieLens-100k as most published tables read it: every rating is a hit, all count the same")
        _show(evaluation, [als_verdict(evaluation)], write)


def every_rating_is_a_hit(dataset: Dataset) -> Dataset:
    """Return the dataset as most published tables read it: a rating is a rating."""
    table = dataset.interactions
    equal = replace(table, weights=np.ones(len(table), dtype=np.float32))
    return replace(dataset, interactions=equal, relevant_events=table.event_names, fingerprint="")


def als_verdict(evaluation: Evaluation) -> str:
    """Return the plan's promise about ALS, judged on this evaluation."""
    measured = evaluation.engines["als"]["precision@10"]
    return f'{_judge(measured > ALS_PRECISION)}: "ALS P@10 > {ALS_PRECISION}": {measured:.3f}'


def ensemble_verdicts(evaluation: Evaluation) -> list[str]:
    """Return the plan's promises about the ensemble, judged on this evaluation."""
    precision = {name: measured["precision@10"] for name, measured in evaluation.engines.items()}
    single = max(("als", "two_tower"), key=precision.__getitem__)
    gain = compare(evaluation, single, "ensemble", "precision@10")
    low, high = gain.low / precision[single], gain.high / precision[single]
    reached = "reached" if gain.relative >= PROMISED_GAIN else "not reached"
    return [
        f'{_judge(precision["ensemble"] > precision[single])}: "ensemble P@10 > max(ALS, two-tower)": '
        f"{precision['ensemble']:.4f} against {precision[single]:.4f} of {single}",
        f'The plan\'s "+15-20 %" is {reached} here: {gain.relative:+.1%}, 95 % interval [{low:+.1%}, {high:+.1%}].',
    ]


def _show(evaluation: Evaluation, verdicts: list[str], write: Write) -> None:
    write(metric_table(evaluation, METRICS))
    for verdict in verdicts:
        write(verdict)


def _judge(holds: bool) -> str:
    return "PASS" if holds else "FAIL"
