"""What the engines of one training learn from: exported, read and cut once."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from pathlib import Path

from recommender_app.artifacts.manifest import moment
from recommender_app.conf import settings
from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.folder import read_dataset
from recommender_app.dataset.manifest import read_manifest
from recommender_app.exceptions import DatasetError
from recommender_app.registry.database import current_time
from recommender_app.registry.tombstones import NOBODY, read_tombstones
from recommender_app.trainers.base import Progress, require_data, silent
from recommender_app.training.export import export_dataset
from recommender_app.training.forgotten_datasets import any_of
from recommender_app.training.hold_out import HoldOut
from recommender_app.training.seeds import chosen_seed
from recommender_app.usecases.declaration import UseCase


class Source:
    """The dataset of one training of a use case; the first engine that asks has it exported.

    Args:
        path: an exported folder to learn from; a fresh export if None.
        seed: the setting SEED if None.

    Raises:
        ConfigurationError: that is no seed.
    """

    def __init__(
        self, use_case: UseCase, path: Path | None = None, seed: int | None = None, progress: Progress = silent
    ) -> None:
        self.use_case, self.progress = use_case, progress
        self.seed = chosen_seed(seed)
        self._given = path
        self._exported_at: datetime | None = None

    @cached_property
    def path(self) -> Path:
        """The dataset's folder.

        Raises:
            DatasetError: it cannot be exported.
        """
        if self._given is not None:
            return Path(self._given)
        self._exported_at = current_time()  # before the snapshot; the manifest of equal data may be older
        return export_dataset(self.use_case, progress=self.progress).path

    @property
    def read_at(self) -> datetime | None:
        """A moment before the data were read: who was forgotten later is in them. None where nobody knows."""
        return moment(self.dataset.as_of) if self._given is not None else self._exported_at

    @property
    def known_path(self) -> Path | None:
        """The dataset's folder, None as long as nobody has asked for it."""
        return self.__dict__.get("path")

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset.

        Raises:
            DatasetError: it cannot be read, or is of another use case.
        """
        made_for = read_manifest(self.path).get("use_case", self.use_case.key)
        if made_for != self.use_case.key:
            raise DatasetError(f"{self.path} is a dataset of {made_for}, not of {self.use_case.key}.")
        return read_dataset(self.path)

    @cached_property
    def holds_forgotten(self) -> bool:
        """Whether a given dataset holds somebody who is forgotten; exports leave them out.

        Raises:
            ConfigurationError: a tombstone cannot be compared.
        """
        tombstones = NOBODY if self._given is None else read_tombstones()
        tombstones.check_complete()
        sides = ((self.use_case.users, self.dataset.users), (self.use_case.items, self.dataset.items))
        return bool(tombstones) and any(any_of(tombstones)(model, ids) for model, ids in sides)

    @cached_property
    def hold_out(self) -> HoldOut:
        """What engines are measured on."""
        return HoldOut(self.dataset, self.seed, self.progress)

    def require_data(self) -> None:
        """Refuse a dataset that nothing may be learned from.

        Raises:
            NotEnoughData: it has less than the settings MIN_* ask for.
            DatasetError: it was given, and holds somebody who is forgotten.
        """
        if self.holds_forgotten:
            raise DatasetError(
                f"{self.path} holds the id of somebody who is forgotten: delete it and train without --dataset."
            )
        require_data(self.dataset, settings.MIN_USERS, settings.MIN_ITEMS, settings.MIN_INTERACTIONS)
