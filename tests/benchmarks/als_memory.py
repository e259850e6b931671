"""The memory of a big training: python -m tests.benchmarks.als_memory [--rows 10000000].

ALS on synthetic interactions with the recipe that it chooses by itself, in a fresh process that
reads the dataset from its folder as a training does. Peak = everything that process ever held.
"""

# ruff: noqa: T201  a benchmark prints what it measured

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.features import Features
from recommender_app.dataset.folder import read_dataset, write_dataset
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import InteractionTable
from recommender_app.trainers.als import ALSTrainer
from recommender_app.trainers.als_config import ALSConfig

LIMIT_BYTES = 8_000_000_000
INTERACTIONS_PER_USER, USERS_PER_ITEM = 50, 4
DAYS_200 = 200 * 86_400_000_000  # microseconds
SEED = 5


def main() -> int:
    """Print the peak and the time; 1 if the peak is above the limit."""
    options = _options()
    if options.folder is not None:
        print(json.dumps(_train(options.folder, options.iterations)))
        return 0
    with TemporaryDirectory(prefix="bench-") as parent:
        folder = Path(parent) / "dataset"
        write_dataset(_synthetic(options.rows), folder)
        command = [sys.executable, "-m", "tests.benchmarks.als_memory", "--folder", str(folder)]
        command += ["--iterations", str(options.iterations)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured = json.loads(done.stdout.splitlines()[-1])
    passed = measured["peak_bytes"] <= LIMIT_BYTES
    print(f"ALS on {options.rows:,} interactions, {measured['shape']} users and items, {measured['factors']} factors,")
    print(
        f"{options.iterations} iterations: read in {measured['read_s']:.0f} s, trained in {measured['train_s']:.0f} s,"
    )
    verdict = "PASS" if passed else "FAIL"
    print(f"peak {measured['peak_bytes'] / 1e9:.2f} GB of at most {LIMIT_BYTES / 1e9:.0f}: {verdict}")
    summary = {"rows": options.rows, **measured, "load_average": os.getloadavg()[0], "passed": passed}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(summary, indent=1) + "\n")
    return int(not passed)


def _synthetic(n: int) -> Dataset:
    """Return n interactions of users who like the items of low rows more, at random times."""
    rng = np.random.default_rng(SEED)
    n_users = max(n // INTERACTIONS_PER_USER, 2)
    n_items = max(n_users // USERS_PER_ITEM, 2)
    table = InteractionTable(
        np.sort(rng.integers(n_users, size=n, dtype=np.int32)),
        (n_items * rng.random(n) ** 2).astype(np.int32),
        np.zeros(n, dtype=np.uint8),
        np.ones(n, dtype=np.float32),
        rng.integers(DAYS_200, size=n),
        ("like",),
    )
    users, items = (IdMap("int", np.arange(size, dtype=np.int64)) for size in (n_users, n_items))
    return Dataset(users, items, table, _nothing(n_items), _nothing(n_users), relevant_events=("like",))


def _nothing(n: int) -> Features:
    return Features([""] * n, [()] * n, np.empty((n, 0), dtype=np.float32), ())


def _train(folder: Path, iterations: int) -> dict[str, object]:
    started = time.perf_counter()
    dataset = read_dataset(folder)
    read = time.perf_counter()
    engine = ALSTrainer().train(dataset, ALSConfig(iterations=iterations), SEED)
    return {
        "shape": [dataset.n_users, dataset.n_items],
        "factors": engine.item_factors.shape[1],
        "iterations": iterations,
        "read_s": read - started,
        "train_s": time.perf_counter() - read,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--iterations", type=int, default=ALSConfig.iterations)
    parser.add_argument("--folder", type=Path, help="train on this dataset in this process")
    parser.add_argument("--output", type=Path, default=Path("bench/als_memory.json"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
