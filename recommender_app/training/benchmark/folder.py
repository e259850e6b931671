"""A folder of files becomes a train and a test part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.features import Features
from recommender_app.dataset.interactions import InteractionTable
from recommender_app.dataset.splits import Split, last_fraction_split, random_split, temporal_split
from recommender_app.exceptions import ConfigurationError, DatasetError
from recommender_app.training.benchmark.columns import to_events, to_ids, to_rows, to_times, to_weights
from recommender_app.training.benchmark.csv_table import CsvTable, read_table
from recommender_app.training.benchmark.side_information import has_content, read_side_information

USER, ITEM = "user_id", "item_id"
TRAIN, TEST, INTERACTIONS = "train.csv.gz", "test.csv.gz", "interactions.csv.gz"
SPLITS = ("temporal", "random", "last")
VALIDATION_FRACTION = 0.15
WHOLE = "all items"


@dataclass(frozen=True)
class FolderOptions:
    """How a folder is read.

    Attributes:
        split: how ``interactions.csv.gz`` is cut; None = temporal where times differ, else random.
        test_fraction: how much of it becomes test.
        is_validation: measure on a part of train; the test part is not used.
        is_cold: with ``is_validation``: hold out whole items, as a cold test part would.
        weights: {event: weight}; 1 for the others, negative = dislike.
        items, users: files of side information; None = ``items.csv.gz`` of the folder, if any.
        item_columns: columns of the items' file to use; empty = all.
        seed: of everything that is drawn.
    """

    split: str | None = None
    test_fraction: float = 0.2
    is_validation: bool = False
    is_cold: bool = False
    weights: Mapping[str, float] = field(default_factory=dict)
    items: Path | None = None
    users: Path | None = None
    item_columns: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True)
class BenchmarkData:
    """What is learned from, and what is measured on.

    Attributes:
        split: the parts.
        candidates: {name: rows of the only items that are ranked, None = all}.
        min_history: positive pairs that a measured user has at least.
        has_times: False = all interactions have the same time: "lately" means nothing.
        test_use: one line: which file was read how often, and what for.
    """

    split: Split
    candidates: dict[str, NDArray[np.int32] | None]
    min_history: int
    has_times: bool
    test_use: str


def read_folder(folder: Path, options: FolderOptions) -> BenchmarkData:
    """Read a folder with ``train.csv.gz`` and ``test.csv.gz``, or with ``interactions.csv.gz``.

    Raises:
        DatasetError: the folder or a file is missing or not what it should be.
        ConfigurationError: an option does not fit the folder.
    """
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder}.")
    is_published = (folder / TRAIN).is_file()
    if not is_published and not (folder / INTERACTIONS).is_file():
        raise DatasetError(f"{folder} holds neither {TRAIN} and {TEST} nor {INTERACTIONS}.")
    if is_published and options.split:
        raise ConfigurationError(f"--split is for folders with {INTERACTIONS} only: {folder} brings its own split.")
    data = _published(folder, options) if is_published else _own_cut(folder, options)
    if not len(data.split.test):
        raise DatasetError(f"{folder}: the part to measure on is empty.")
    return data


def _published(folder: Path, options: FolderOptions) -> BenchmarkData:
    train = read_table(folder / TRAIN, [USER, ITEM])
    if options.is_validation:
        split = _carve(_dataset(folder, [train], options), options, "random")
        return _described(split, options, 0, f"{TEST} was not read: measured on a part of {TRAIN}.")
    test = read_table(folder / TEST, [USER, ITEM])
    whole = _dataset(folder, [train, test], options)
    is_test = np.arange(len(whole.interactions)) >= len(train)
    table = whole.interactions
    held_out = table.select(is_test)
    held_out = held_out.select(held_out.weights > 0)
    split = Split(
        whole.with_interactions(table.select(~is_test)), held_out, "published", f"published split of {folder.name}"
    )
    use = (
        f"{TEST} was read once: its ids joined the catalogue, its interactions only scored the finished engines. "
        f"Engines that tune or stop early carve their validation part out of {TRAIN}."
    )
    return _described(split, options, 0, use)


def _own_cut(folder: Path, options: FolderOptions) -> BenchmarkData:
    dataset = _dataset(folder, [read_table(folder / INTERACTIONS, [USER, ITEM])], options)
    name = options.split or ("temporal" if _has_times(dataset) else "random")
    if name == "temporal" and not _has_times(dataset):
        raise ConfigurationError(f"--split temporal needs a column timestamp in {folder / INTERACTIONS}.")
    split = _cut(dataset, name, options.test_fraction, options.seed)
    if options.is_validation:
        split = _carve(split.train, options, name)
        return _described(split, options, 1, "The test part was not used: measured on a part of train.")
    use = "The test part was used once, to score the finished engines."
    return _described(split, options, 1, use)


def _carve(train: Dataset, options: FolderOptions, name: str) -> Split:
    """Return the validation split of a train part, of the same kind as the test split."""
    if options.is_cold:
        return _hold_out_items(train, options.seed)
    split = _cut(train, name, VALIDATION_FRACTION, options.seed)
    return replace(split, description=f"validation inside train: {split.description}")


def _cut(dataset: Dataset, name: str, fraction: float, seed: int) -> Split:
    if name == "temporal":
        return temporal_split(dataset, fraction)
    return last_fraction_split(dataset, fraction) if name == "last" else random_split(dataset, fraction, seed)


def _hold_out_items(train: Dataset, seed: int) -> Split:
    """Take a random part of the items out of train whole."""
    table = train.interactions
    known = np.unique(table.item_rows)
    n_cold = max(1, round(len(known) * VALIDATION_FRACTION))
    is_test = np.isin(table.item_rows, np.random.default_rng(seed).choice(known, n_cold, replace=False))
    held_out = table.select(is_test)
    description = f"validation inside train: random {VALIDATION_FRACTION:.0%} of the items held out, seed {seed}"
    rest = train.with_interactions(table.select(~is_test))
    return Split(rest, held_out.select(held_out.weights > 0), "cold_items", description)


def _described(split: Split, options: FolderOptions, min_history: int, test_use: str) -> BenchmarkData:
    train = split.train
    tested = np.unique(split.test.item_rows)
    is_seen = np.zeros(train.n_items, dtype=bool)
    is_seen[train.interactions.item_rows] = True
    candidates: dict[str, NDArray[np.int32] | None] = {WHOLE: None}
    if len(tested) and not is_seen[tested].any():
        candidates = {"cold items": tested}
        described = tested[has_content(train.item_features)[tested]]
        if 0 < len(described) < len(tested):
            candidates["cold items with text or categories"] = described
    return BenchmarkData(split, candidates, min_history, _has_times(train), test_use)


def _dataset(folder: Path, tables: list[CsvTable], options: FolderOptions) -> Dataset:
    """Return everything in the tables, one after the other, in one row space."""
    joined = _join(tables)
    users, items = to_ids(joined.columns[USER]), to_ids(joined.columns[ITEM])
    codes, names = to_events(joined)
    table = InteractionTable(
        to_rows(users, joined.columns[USER]),
        to_rows(items, joined.columns[ITEM]),
        codes,
        to_weights(codes, names, options.weights),
        to_times(joined),
        names,
    )
    item_features = read_side_information(_side_file(folder, "items", options.items), ITEM, items, options.item_columns)
    user_features: Features = read_side_information(_side_file(folder, "users", options.users), USER, users)
    return Dataset(users, items, table, item_features, user_features)


def _join(tables: list[CsvTable]) -> CsvTable:
    first = tables[0]
    shared = [name for name in first.columns if all(name in table.columns for table in tables)]
    columns = {name: [value for table in tables for value in table.columns[name]] for name in shared}
    return CsvTable(first.path, columns)


def _side_file(folder: Path, name: str, chosen: Path | None) -> Path | None:
    own = folder / f"{name}.csv.gz"
    return chosen or (own if own.is_file() else None)


def _has_times(dataset: Dataset) -> bool:
    times = dataset.interactions.times
    return bool(len(times)) and int(times.max()) > int(times.min())
