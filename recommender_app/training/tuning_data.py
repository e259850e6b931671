"""What a search learns from and what it is measured on: parts of the train part, never the test part."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from recommender_app.dataset.splits import Split, temporal_split
from recommender_app.evaluation.evaluate import choose_users, relevant_pairs
from recommender_app.exceptions import NotEnoughData
from recommender_app.training.benchmark.folder import TEST, VALIDATION_FRACTION, WHOLE, FolderOptions, read_folder
from recommender_app.training.source import Source

USE_CASE_LENGTH, FOLDER_LENGTH = 10, 20  # of the lists: the gate's, the benchmarks'


@dataclass(frozen=True)
class TuningData:
    """A validation split.

    Attributes:
        split: the train part without its validation part, and that.
        name: of the use case or of the folder; names the folder of its searches.
        fingerprint: of the exported dataset, or of the files.
        length: of the lists; the metric is NDCG at it.
    """

    split: Split
    name: str
    fingerprint: str
    length: int

    @property
    def metric(self) -> str:
        """What is maximised."""
        return f"ndcg@{self.length}"

    @property
    def digest(self) -> str:
        """A hash of everything that decides what a configuration is worth here."""
        found = hashlib.sha256(f"{self.metric} {self.fingerprint}".encode())
        for table in (self.split.train.interactions, self.split.test):
            for column in (table.user_rows, table.item_rows, table.events, table.weights, table.times):
                found.update(np.ascontiguousarray(column).data)
        return found.hexdigest()[:16]

    def require_users(self, min_history: int) -> None:
        """Raise NotEnoughData if there is nobody to measure on."""
        if not len(choose_users(self.split, relevant_pairs(self.split), min_history, None, 0)):
            raise NotEnoughData(
                f"There is nobody to tune on: no user of {self.name} has a history and a new relevant interaction in "
                f"the validation part ({self.split.description})."
            )


def data_of_use_case(source: Source) -> TuningData:
    """Return the newest part of a use case's train part, to be predicted from the rest of it.

    Raises:
        NotEnoughData: the dataset has less than the settings MIN_* ask for.
        DatasetError: it cannot be exported or read.
    """
    source.require_data()
    split = temporal_split(source.hold_out.split.train, VALIDATION_FRACTION)
    split = replace(split, description=f"validation inside train: {split.description}")
    return TuningData(split, source.use_case.key, source.dataset.fingerprint, USE_CASE_LENGTH)


def data_of_folder(folder: Path, seed: int) -> TuningData:
    """Return the part of a benchmark folder's train part that ``recommender_benchmark --validation`` measures on.

    Raises:
        DatasetError: the folder or a file is missing or not what it should be.
        NotEnoughData: the folder is about cold items, which a search cannot rank apart.
    """
    data = read_folder(folder, FolderOptions(is_validation=True, seed=seed))
    if WHOLE not in data.candidates:
        raise NotEnoughData(f"{folder}: no item of the validation part is in the rest of the train part.")
    return TuningData(data.split, f"folder-{folder.resolve().name}", _fingerprint(folder), FOLDER_LENGTH)


def _fingerprint(folder: Path) -> str:
    """Return a hash of the files that were read; features of items are in it, unlike in the split."""
    found = hashlib.sha256()
    for path in sorted(folder.glob("*.csv.gz")):
        if path.name != TEST:
            found.update(path.read_bytes())
    return found.hexdigest()
