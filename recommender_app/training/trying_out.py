"""What was published is tried out before it may go live."""

from __future__ import annotations

from recommender_app.exceptions import RecommenderError
from recommender_app.models import ModelVersion
from recommender_app.registry.verdicts import reject_version
from recommender_app.training.resuming import dataset_folder
from recommender_app.training.smoke import smoke
from recommender_app.training.source import Source


def try_out(version: ModelVersion, source: Source, *, by: str) -> None:
    """Ask a version for a recommendation; turn it down if it has none.

    Raises:
        RecommenderError: it was turned down.
    """
    try:
        smoke(version, source.dataset)
    except RecommenderError as error:
        reject_version(version, str(error), by=by)
        raise


def source_of(version: ModelVersion, fresh: Source) -> Source:
    """Return the dataset that a version has learned from, a fresh one if that was deleted."""
    folder = dataset_folder(version)
    return Source(fresh.use_case, folder, fresh.seed) if folder.is_dir() else fresh
