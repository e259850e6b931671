"""What our ALS trainer costs above a bare ``implicit`` fit: python -m tests.benchmarks.als_overhead FOLDER."""

# ruff: noqa: T201  a benchmark prints what it measured

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy; implicit is up to 10x slower otherwise

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse

from recommender_app.dataset.dataset import Dataset
from recommender_app.trainers.als import ALSTrainer, scaled_confidence
from recommender_app.trainers.als_config import ALSConfig
from tests.benchmarks.public_data import has_published_split, read_published_split

LIMIT = 1.1
PAIRS = 3
SEED = 1


def main() -> int:
    """Print every pair, the median ratio and the verdict; 1 when it fails."""
    options = _options()
    if not has_published_split(options.folder):
        print(f"SKIPPED: {options.folder} has no train.csv.gz and test.csv.gz.")
        return 0
    dataset = read_published_split(options.folder).train
    config = ALSConfig(n_threads=options.threads).resolve(dataset.positives)
    print(f"{dataset.n_users} users, {dataset.n_items} items, {dataset.matrix.nnz} pairs; {config}")
    pairs = [_measure_pair(dataset, config, number) for number in range(1, PAIRS + 1)]
    return _report(options, config, pairs)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=0, help="0 = all cores")
    parser.add_argument("--output", type=Path, default=Path("bench/als_overhead.json"))
    return parser.parse_args()


def _measure_pair(dataset: Dataset, config: ALSConfig, number: int) -> dict[str, float]:
    """Time both once, on a fresh dataset so that ours pays for building its matrix."""
    fresh = replace(dataset)
    confidences = _confidences(dataset, config)
    works = {"ours": lambda: ALSTrainer().train(fresh, config, SEED), "bare": lambda: _bare_fit(confidences, config)}
    turns = sorted(works, reverse=number % 2 == 0)  # neither always goes first
    seconds = {name: _seconds_of(works[name]) for name in turns}
    (ours, our_cpu), (bare, bare_cpu) = seconds["ours"], seconds["bare"]
    load = os.getloadavg()[0]
    print(
        f"pair {number}: ours {ours:.2f} s, bare implicit {bare:.2f} s, ratio {ours / bare:.3f} "
        f"(CPU time {our_cpu:.2f} s / {bare_cpu:.2f} s = {our_cpu / bare_cpu:.3f}), load average {load:.2f}"
    )
    return {
        "ours_seconds": ours,
        "bare_seconds": bare,
        "ratio": ours / bare,
        "cpu_ratio": our_cpu / bare_cpu,
        "load_average": load,
    }


def _seconds_of(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall and CPU seconds; the latter tell overhead from a busy machine."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _confidences(dataset: Dataset, config: ALSConfig) -> sparse.csr_matrix:
    """Return the very matrix that our trainer gives to implicit: other values would take other steps."""
    degrees = dataset.positives.getnnz(axis=0).astype(np.float32)
    return scaled_confidence(dataset.matrix, degrees, config).of(dataset.matrix, degrees)


def _bare_fit(confidences: sparse.csr_matrix, config: ALSConfig) -> None:
    AlternatingLeastSquares(
        factors=config.factors,
        regularization=config.regularization,
        iterations=config.iterations,
        num_threads=config.n_threads,
        random_state=SEED,
    ).fit(confidences, show_progress=False)


def _report(options: argparse.Namespace, config: ALSConfig, pairs: list[dict[str, float]]) -> int:
    median = statistics.median(pair["ratio"] for pair in pairs)
    is_passed = median <= LIMIT
    cpu = statistics.median(pair["cpu_ratio"] for pair in pairs)
    print(f"median ratio {median:.3f} (of CPU time {cpu:.3f}): {'PASS' if is_passed else 'FAIL'} (at most {LIMIT})")
    options.output.parent.mkdir(parents=True, exist_ok=True)
    summary = {
        "benchmark": "als_overhead",
        "data": options.folder.name,
        "config": config.to_json(),
        "pairs": pairs,
        "median_ratio": median,
        "median_cpu_ratio": cpu,
        "limit": LIMIT,
        "passed": is_passed,
    }
    options.output.write_text(json.dumps(summary, indent=1) + "\n")
    return 0 if is_passed else 1


if __name__ == "__main__":
    sys.exit(main())
