"""What the engines of one training learn from: exported, read and cut once."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from recommender_app.conf import settings
from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.folder import read_dataset
from recommender_app.dataset.manifest import read_manifest
from recommender_app.exceptions import DatasetError
from recommender_app.trainers.base import Progress, require_data, silent
from recommender_app.training.export import export_dataset
from recommender_app.training.hold_out import HoldOut
from recommender_app.usecases.declaration import UseCase


class Source:
    """The dataset of one training of a use case; the first engine that asks has it exported.

    Args:
        path: an exported folder to learn from; a fresh export if None.
        seed: the setting SEED if None.
    """

    def __init__(
        self, use_case: UseCase, path: Path | None = None, seed: int | None = None, progress: Progress = silent
    ) -> None:
        self.use_case, self.progress = use_case, progress
        self.seed: int = settings.SEED if seed is None else seed
        self._given = path

    @cached_property
    def path(self) -> Path:
        """The dataset's folder.

        Raises:
            DatasetError: it cannot be exported.
        """
        return export_dataset(self.use_case, progress=self.progress).path if self._given is None else Path(self._given)

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
    def hold_out(self) -> HoldOut:
        """What engines are measured on."""
        return HoldOut(self.dataset, self.seed, self.progress)

    def require_data(self) -> None:
        """Raise NotEnoughData if the dataset has less than the settings MIN_* ask for."""
        require_data(self.dataset, settings.MIN_USERS, settings.MIN_ITEMS, settings.MIN_INTERACTIONS)
