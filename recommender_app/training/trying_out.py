"""What was published is tried out before it may go live."""

from __future__ import annotations

from recommender_app.dataset.dataset import Dataset
from recommender_app.exceptions import ArtifactMissing, ArtifactTooNew, DatasetError, RecommenderError
from recommender_app.models import ModelVersion
from recommender_app.registry.storage import fetch
from recommender_app.registry.verdicts import reject_version
from recommender_app.training.giving_up import GAVE_UP, one_line
from recommender_app.training.resuming import dataset_folder
from recommender_app.training.smoke import smoke
from recommender_app.training.source import Source

NOT_NOW = (ArtifactMissing, ArtifactTooNew, DatasetError)  # why a version cannot be tried out here, good as it may be


def try_out(version: ModelVersion, dataset: Dataset, *, by: str) -> None:
    """Ask a version for a recommendation; turn it down if it has none.

    Raises:
        ArtifactMissing, ArtifactTooNew: it cannot be opened on this host; it stays what it is.
        RecommenderError, or what an engine raises: it was turned down.
    """
    try:
        smoke(version, dataset)
    except NOT_NOW:
        raise
    except GAVE_UP as error:
        reject_version(version, one_line(error), by=by)
        raise


def try_out_left_behind(version: ModelVersion, fresh: Source, *, by: str) -> None:
    """Do the same with what a process has left, which may have been one of another host.

    Raises:
        DatasetError: see ``dataset_of``; otherwise as ``try_out``.
    """
    try:
        fetch(version.use_case, version.engine, version.name)
    except RecommenderError as error:
        raise ArtifactMissing(f"{version} is not here and cannot be fetched: {error}") from error
    try_out(version, dataset_of(version, fresh), by=by)


def dataset_of(version: ModelVersion, fresh: Source) -> Dataset:
    """Return what a version has learned from; where that is not here, was deleted or is damaged, what is fresh.

    Raises:
        DatasetError: that cannot be had either.
    """
    try:
        return Source(fresh.use_case, dataset_folder(version)).dataset
    except DatasetError:
        return fresh.dataset
