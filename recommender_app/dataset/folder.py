"""A dataset as an immutable folder on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.features import Features
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.manifest import check_files, read_manifest
from recommender_app.dataset.pairs import PairWeighting
from recommender_app.dataset.staging import publish_folder, staging_folder
from recommender_app.dataset.tables import read_features, read_interactions
from recommender_app.dataset.writing import (
    INTERACTIONS,
    ITEM_FEATURES,
    ITEM_IDS,
    USER_FEATURES,
    USER_IDS,
    DatasetParts,
    write_files,
)
from recommender_app.exceptions import DatasetError


def write_dataset(dataset: Dataset, folder: Path, manifest: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Write a dataset as the new folder ``folder`` and return its whole manifest.

    Args:
        manifest: what else the manifest shall say; it enters the fingerprint.

    Raises:
        DatasetError: the folder exists already, or the disk refuses.
    """
    parts = DatasetParts(
        dataset.users,
        dataset.items,
        dataset.interactions,
        [dataset.user_features],
        [dataset.item_features],
        dataset.pair_weighting,
        dataset.relevant_events,
        dataset.event_weights,
        manifest or {},
        dataset.as_of,
    )
    with staging_folder(folder.parent) as staging:
        written = write_files(staging, parts)
        if folder.exists() or not publish_folder(staging, folder):
            raise DatasetError(f"{folder} exists already: a dataset folder is never written twice.")
    return written


def read_dataset(folder: Path) -> Dataset:
    """Return the dataset of a folder that ``write_dataset`` or the export wrote.

    Raises:
        DatasetError: the folder is missing, damaged, or no dataset; one line that names the file.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    try:
        dataset = _read(folder, manifest)
    except (KeyError, ValueError, OSError) as error:
        raise DatasetError(f"{folder} holds no readable dataset ({error}): export it again.") from error
    _check_rows(folder, dataset)
    return dataset


def _read(folder: Path, manifest: dict[str, Any]) -> Dataset:
    kinds = manifest["id_kinds"]
    return Dataset(
        IdMap(kinds["users"], np.load(folder / USER_IDS, allow_pickle=False)),
        IdMap(kinds["items"], np.load(folder / ITEM_IDS, allow_pickle=False)),
        read_interactions(folder / INTERACTIONS, tuple(manifest["event_names"])),
        read_features(folder / ITEM_FEATURES),
        read_features(folder / USER_FEATURES),
        cast(PairWeighting, manifest["pair_weighting"]),
        tuple(manifest["relevant_events"]),
        manifest["event_weights"],
        manifest["fingerprint"],
        str(manifest.get("as_of", "")),
    )


def _check_rows(folder: Path, dataset: Dataset) -> None:
    table = dataset.interactions
    sides: list[tuple[Any, int, Features]] = [
        (table.user_rows, dataset.n_users, dataset.user_features),
        (table.item_rows, dataset.n_items, dataset.item_features),
    ]
    for rows, n, features in sides:
        is_inside = not len(rows) or (rows.min() >= 0 and rows.max() < n)
        if not is_inside or len(features) != n:
            raise DatasetError(f"The files of {folder} do not fit each other: export the dataset again.")
