"""Reads the public data sets (see the benchmarks' FOLDER argument) as datasets and splits."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.features import Features
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import InteractionTable
from recommender_app.dataset.splits import Split


def has_published_split(folder: Path) -> bool:
    """Say whether the folder holds a train and a test part."""
    return (folder / "train.csv.gz").is_file() and (folder / "test.csv.gz").is_file()


def read_published_split(folder: Path) -> Split:
    """Read ``train.csv.gz`` and ``test.csv.gz`` of integer ``user_id,item_id`` rows, every weight 1."""
    train, test = _read_pairs(folder / "train.csv.gz"), _read_pairs(folder / "test.csv.gz")
    everything = np.concatenate((train, test))
    users, items = IdMap("int", np.unique(everything[:, 0])), IdMap("int", np.unique(everything[:, 1]))
    dataset = Dataset(users, items, _table(train, users, items), Features.empty(len(items)), Features.empty(len(users)))
    return Split(dataset, _table(test, users, items), "published", f"published split of {folder.name}")


def _read_pairs(path: Path) -> np.ndarray:
    with gzip.open(path, "rt") as lines:
        return np.loadtxt(lines, dtype=np.int64, delimiter=",", skiprows=1, usecols=(0, 1))


def _table(pairs: np.ndarray, users: IdMap, items: IdMap) -> InteractionTable:
    n = len(pairs)
    rows = users.rows_of_keys(pairs[:, 0]), items.rows_of_keys(pairs[:, 1])
    weights, times = np.ones(n, dtype=np.float32), np.zeros(n, dtype=np.int64)
    return InteractionTable(*rows, np.zeros(n, dtype=np.uint8), weights, times, ("interaction",))
