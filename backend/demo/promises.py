"""What the original plan promised, and what is measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recommender_app.dataset.folder import read_dataset
from recommender_app.evaluation.report import metric_table
from recommender_app.training.comparison import compare_engines

PROMISED_PRECISION = 0.15  # the plan: "ALS Precision@10 > 0.15"
ENGINES = ("popular", "trending", "als")
METRICS = ("precision@10", "recall@10", "ndcg@10", "map@10", "hit_rate@10", "coverage@10", "novelty@10")
SPLITS = ("temporal", "random")


def measure(dataset_path: Path, seed: int, write: Callable[[str], None]) -> None:
    """Print a table per split of one dataset, and PASS or FAIL of the plan's promise beside each."""
    dataset = read_dataset(dataset_path)
    for split in SPLITS:
        evaluation = compare_engines(dataset, ENGINES, split, seed=seed)
        write("\n" + metric_table(evaluation, METRICS))
        measured = evaluation.engines["als"]["precision@10"]
        verdict = "PASS" if measured > PROMISED_PRECISION else "FAIL"
        write(f'{verdict}: the plan\'s "ALS Precision@10 > {PROMISED_PRECISION}", measured {measured:.3f}')
