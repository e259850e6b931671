"""Datasets that hold the id of somebody who is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from django.db.models import Model

from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.manifest import read_manifest
from recommender_app.dataset.writing import ITEM_IDS, USER_IDS
from recommender_app.exceptions import DatasetError
from recommender_app.registry.tombstones import Tombstones
from recommender_app.training.retention import Pruned, dataset_folders, datasets_in_use, discard, folder_size
from recommender_app.usecases.declaration import UseCase

Holds = Callable[[type[Model], IdMap], bool]  # whether ids of a model's objects hold the wanted one
_FREE: dict[Path, tuple[Hashable, ...]] = {}  # where this process has found nobody: who was wanted, which folder


def one_of(model: type[Model], user_id: Any) -> Holds:
    """Return a test for the id of one user."""
    return lambda of, ids: of._meta.concrete_model is model._meta.concrete_model and bool(ids.rows([user_id])[0] >= 0)


def any_of(tombstones: Tombstones) -> Holds:
    """Return a test for the id of anybody who is forgotten: a hash per id."""
    return lambda of, ids: bool(tombstones.mask(of, ids.every_id()).any())


def datasets_holding(use_case: UseCase, holds: Holds, *, wanted: Hashable = None) -> Iterator[tuple[Path, bool]]:
    """Yield (folder, whether a run learns from it now) of the datasets that hold a wanted id.

    One that cannot be read counts as holding it: nobody can tell, and it is good for nothing else.

    Args:
        wanted: what says that the same ids are wanted as the last time: a folder never changes, and
            is not read again for the same ones.
    """
    in_use = datasets_in_use(use_case.key)
    for folder in sorted(dataset_folders(use_case.key)):
        known = (wanted, *_place(folder))
        if wanted is not None and _FREE.get(folder) == known:
            continue
        try:
            is_held = held_by(use_case, folder, holds)
        except DatasetError:
            is_held = True
        if is_held:
            yield folder, folder.name in in_use
        elif wanted is not None:
            _FREE[folder] = known


def held_by(use_case: UseCase, folder: Path, holds: Holds) -> bool:
    """Tell whether a dataset holds a wanted id.

    Raises:
        DatasetError: the folder is damaged, or gone.
    """
    return any(holds(model, ids) for model, ids in _ids_of(use_case, folder))


def delete_datasets(use_case: UseCase, holds: Holds, *, dry_run: bool = False, wanted: Hashable = None) -> list[Pruned]:
    """Delete and return the datasets that hold a wanted id, but for those that a run learns from now."""
    found = []
    for folder in [folder for folder in _FREE if not folder.exists()]:
        del _FREE[folder]
    for folder, is_in_use in datasets_holding(use_case, holds, wanted=wanted):
        if not is_in_use:
            found.append(Pruned(use_case.key, "dataset", folder.name, folder_size(folder)))
            if not dry_run:
                discard(folder)
    return found


def _place(folder: Path) -> tuple[int, ...]:
    """Return what differs where another folder has taken the place of one; () for none."""
    try:
        found = folder.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns


def _ids_of(use_case: UseCase, folder: Path) -> Iterator[tuple[type[Model], IdMap]]:
    """Yield the models and ids of users and items.

    Raises:
        DatasetError: the folder is damaged.
    """
    kinds = read_manifest(folder).get("id_kinds", {})
    for model, side, name in ((use_case.users, "users", USER_IDS), (use_case.items, "items", ITEM_IDS)):
        try:
            yield model, IdMap(kinds[side], np.load(folder / name, mmap_mode="r", allow_pickle=False))
        except (KeyError, ValueError, OSError) as error:
            raise DatasetError(f"{folder} holds no readable ids ({error}).") from error
