"""The approximate index in an artifact folder: an engine can do without, so that damage only costs speed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from recommender_app.artifacts.arrays import FILE_MODE, check_file, sha256_of
from recommender_app.artifacts.manifest import INDEX, FileEntry, Manifest
from recommender_app.engines.base import Engine
from recommender_app.engines.index import ItemIndex, SearchPlan
from recommender_app.engines.indexed import IndexedEngine
from recommender_app.exceptions import ArtifactDamaged

logger = logging.getLogger(__name__)


class StorableIndex(Protocol):
    """An index as training has built it."""

    @property
    def n_bytes(self) -> int:
        """Bytes of its file, about."""

    def details(self) -> dict[str, Any]:
        """Return what the manifest says about it: how to search it, and what was measured."""

    def write(self, path: Path) -> None:
        """Write its file."""


def write_index(folder: Path, index: StorableIndex) -> FileEntry:
    """Write ``index.faiss`` and return its entry."""
    path = folder / f"{INDEX}.faiss"
    index.write(path)
    path.chmod(FILE_MODE)
    return FileEntry(path.name, path.stat().st_size, sha256_of(path), index.details())


def with_stored_index(engine: Engine, manifest: Manifest, folder: Path, name: str) -> Engine:
    """Return the engine with the index of its folder, if there is one; the file is checked, not opened.

    A damaged index is logged and left out: all items are scored instead.
    """
    entry = manifest.files.get(INDEX)
    if entry is None or not isinstance(engine, IndexedEngine):
        return engine
    label = f"The index of {manifest.use_case} {manifest.version}"
    try:
        check_file(folder / entry.file, entry)
        plan = _plan(entry.details, label)
    except ArtifactDamaged as error:
        logger.warning("%s is not used, all items are scored instead: %s", label, error)
        return engine
    return engine.with_index(ItemIndex.mapped(folder / entry.file, plan))


def _plan(details: Mapping[str, Any], label: str) -> SearchPlan:
    try:
        return SearchPlan(int(details["nlist"]), int(details["nprobe"]), float(details["largest_norm"]), label)
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactDamaged("the manifest does not say how to search it.") from error
