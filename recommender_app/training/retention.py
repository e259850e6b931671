"""Retention: deletes the folders of versions and datasets that nothing needs any more."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.dataset.staging import PREFIX, discard_folder
from recommender_app.exceptions import ArtifactError, ArtifactMissing
from recommender_app.models import TrainingRun
from recommender_app.registry import storage
from recommender_app.registry.retention import YOUNG_SECONDS, give_up_superfluous, superfluous_versions

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pruned:
    """What was deleted, or would be: ``kind`` is version or dataset; size in bytes on this host's disk."""

    use_case: str
    kind: str
    name: str
    size: int


def prune(use_case_key: str, *, dry_run: bool = False) -> list[Pruned]:
    """Delete what a use case no longer needs, and return it; rows stay as history.

    Versions: see ``registry.retention.superfluous_versions``. Datasets tell about people: only
    the KEEP_DATASETS newest are kept, those younger than an hour, and what a run learns from now.
    Processes that have an artifact open keep their mapping.
    """
    return [*_prune_versions(use_case_key, dry_run), *_prune_datasets(use_case_key, dry_run)]


def n_young(use_case_key: str) -> int:
    """Return how many versions and datasets are superfluous, but younger than an hour."""
    in_use = datasets_in_use(use_case_key)
    oldest_first = sorted(dataset_folders(use_case_key), key=_written_at)
    superfluous = [each for each in oldest_first[: -settings.KEEP_DATASETS] if each.name not in in_use]
    n_datasets = sum(time.time() - _written_at(folder) < YOUNG_SECONDS for folder in superfluous)
    n_versions = len(superfluous_versions(use_case_key, young_seconds=0)) - len(superfluous_versions(use_case_key))
    return n_datasets + n_versions


def _prune_versions(use_case_key: str, dry_run: bool) -> Iterator[Pruned]:
    store = ArtifactStore(settings.artifact_root)
    versions = superfluous_versions(use_case_key) if dry_run else give_up_superfluous(use_case_key)
    for version in versions:
        folder = store.folder(use_case_key, version.engine, version.name)
        yield Pruned(use_case_key, "version", version.name, folder_size(folder))
        if not dry_run:
            delete_artifact(use_case_key, version.engine, version.name)


def delete_artifact(use_case_key: str, engine: str, name: str) -> None:
    """Delete a version here and in ARTIFACT_STORAGE; where a disk refuses, ``recommender_reconcile`` tries again."""
    try:
        ArtifactStore(settings.artifact_root).delete(use_case_key, engine, name)
    except ArtifactMissing:
        pass
    except ArtifactError as error:
        logger.warning("%s", error)
    storage.delete(use_case_key, engine, name)


def _prune_datasets(use_case_key: str, dry_run: bool) -> Iterator[Pruned]:
    in_use = datasets_in_use(use_case_key)
    oldest_first = sorted(dataset_folders(use_case_key), key=_written_at)
    for folder in oldest_first[: -settings.KEEP_DATASETS]:
        if folder.name in in_use or time.time() - _written_at(folder) < YOUNG_SECONDS:
            continue
        yield Pruned(use_case_key, "dataset", folder.name, folder_size(folder))
        if not dry_run:
            discard(folder)


def dataset_folders(use_case_key: str) -> list[Path]:
    """Return the datasets of a use case on this host, in any order."""
    parent = settings.artifact_root / "datasets" / use_case_key
    return [path for path in parent.glob("*") if path.is_dir() and not path.name.startswith(PREFIX)]


def datasets_in_use(use_case_key: str) -> set[str]:
    """Return the fingerprints of what runs learn from now."""
    running = TrainingRun.objects.filter(use_case=use_case_key, status=TrainingRun.Status.RUNNING)
    return set(running.values_list("dataset_fingerprint", flat=True))


def discard(folder: Path) -> None:
    """Delete a dataset; where the disk refuses, say so: it is tried again an hour later."""
    try:
        discard_folder(folder)
    except FileNotFoundError:  # another process was faster
        pass
    except OSError as error:
        logger.warning("Cannot delete %s: %s.", folder, error.strerror or error)


def _written_at(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # it was deleted meanwhile
        return 0.0


def folder_size(folder: Path) -> int:
    """Return the bytes that the files of a folder take; 0 for none."""
    return sum(path.stat().st_size for path in folder.glob("*") if path.is_file())
