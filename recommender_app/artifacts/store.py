"""The artifact store: versions appear whole, are never changed, and are verified when opened."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recommender_app.artifacts.arrays import FILE_MODE, write_array
from recommender_app.artifacts.index import StorableIndex, write_index
from recommender_app.artifacts.manifest import FILE_NAME, INDEX, ITEM_IDS, Manifest
from recommender_app.artifacts.opening import OpenedArtifact, open_engine, open_folder
from recommender_app.artifacts.paths import MODELS, is_name, models_folder, version_folder
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.staging import discard_folder, publish_folder, remove_leftovers, staging_folder
from recommender_app.engines.base import Engine
from recommender_app.exceptions import ArtifactDamaged, ArtifactError, ArtifactMissing

_FREE_SPACE_FACTOR = 2  # room for the arrays twice: nothing else on the disk may be starved


class ArtifactStore:
    """Artifacts below one root folder."""

    def __init__(self, root: Path) -> None:
        """Remember the root; nothing is touched."""
        self.root = Path(root)

    def folder(self, use_case: str, engine_key: str, version: str) -> Path:
        """Return where a version lies; see ``paths.version_folder``."""
        return version_folder(self.root, use_case, engine_key, version)

    def open(self, use_case: str, engine_key: str, version: str) -> OpenedArtifact:
        """Verify and open a version; raises like ``opening.open_engine``, and for a folder in a wrong place."""
        opened = open_engine(self.folder(use_case, engine_key, version))
        found = (opened.manifest.use_case, opened.manifest.engine, opened.manifest.version)
        if found != (use_case, engine_key, version):
            raise ArtifactDamaged(f"{use_case} {version} holds {' '.join(found)}: somebody moved the folder.")
        return opened

    def versions(self, use_case: str, engine_key: str) -> list[str]:
        """Return the names of the published versions, oldest number first."""
        folder = models_folder(self.root, use_case, engine_key)
        if not folder.is_dir():
            return []
        names = [path.name for path in folder.iterdir() if is_name(path.name) and path.is_dir()]
        return sorted(names, key=lambda name: (len(name), name))

    def check_writable(self, use_case: str, engine_key: str) -> None:
        """Find out before hours of training.

        Raises:
            ArtifactError: nothing can be written below the root.
        """
        with staging_folder(models_folder(self.root, use_case, engine_key), ArtifactError) as staging:
            (staging / "probe").write_bytes(b"\0" * 4096)

    def publish(
        self,
        use_case: str,
        version: str,
        engine: Engine,
        items: IdMap,
        *,
        config: Mapping[str, Any] | None = None,
        seed: int = 0,
        library_versions: Mapping[str, str] | None = None,
        dataset_fingerprint: str = "",
        metrics: Mapping[str, Any] | None = None,
        created_at: datetime | None = None,
        data_as_of: str = "",
        index: StorableIndex | None = None,
    ) -> Path:
        """Write a version: staged, synced, reopened and checked, renamed into place.

        Args:
            index: over the engine's items, see ``trainers.index``.

        Raises:
            ArtifactError: the version exists, the disk refuses or is full, or the engine's own
                state does not open; nothing stays behind.
        """
        place = self.folder(use_case, engine.key, version)
        with staging_folder(place.parent, ArtifactError) as staging:
            if place.exists():
                raise ArtifactError(f"{use_case} {version} exists already: a version is never written twice.")
            arrays = {**engine.state(), ITEM_IDS: items.keys}
            n_bytes = sum(array.nbytes for array in arrays.values())
            check_free_space(staging, n_bytes + (index.n_bytes if index else 0))
            manifest = Manifest(
                engine=engine.key,
                use_case=use_case,
                version=version,
                created_at=(created_at or datetime.now(UTC)).isoformat(),
                id_kind=items.kind,
                n_items=len(items),
                arrays={name: write_array(staging, name, arrays[name]) for name in sorted(arrays)},
                config=dict(config or {}),
                seed=seed,
                library_versions=dict(library_versions or {}),
                dataset_fingerprint=dataset_fingerprint,
                metrics=dict(metrics or {}),
                data_as_of=data_as_of,
                files={INDEX: write_index(staging, index)} if index else {},
            )
            file = staging / FILE_NAME
            file.write_text(manifest.to_json(), encoding="utf-8")
            file.chmod(FILE_MODE)
            open_folder(staging, f"The new {version}")
            if not publish_folder(staging, place):
                raise ArtifactError(f"{use_case} {version} was published by somebody else in the meantime.")
        return place

    def delete(self, use_case: str, engine_key: str, version: str) -> None:
        """Remove a version in one step; processes that map it keep their mapping.

        Raises:
            ArtifactMissing: there is none.
        """
        place = self.folder(use_case, engine_key, version)
        if not place.is_dir():
            raise ArtifactMissing(f"There is no artifact {version} of {use_case} to delete.")
        try:
            discard_folder(place)
        except OSError as error:
            raise ArtifactError(f"Cannot delete {place}: {error.strerror or error}.") from error

    def remove_stale_staging(self, older_than_seconds: float) -> None:
        """Delete what publishers that were killed left behind, of all use cases and engines."""
        for folder in (self.root / MODELS).glob("*/*"):
            remove_leftovers(folder, older_than_seconds)


def check_free_space(folder: Path, n_bytes: int) -> None:
    """Raise ArtifactError unless an artifact of that size leaves room on the disk for others."""
    free = shutil.disk_usage(folder).free
    if free < _FREE_SPACE_FACTOR * n_bytes:
        raise ArtifactError(
            f"Only {free // 1_000_000} MB are free for an artifact of {n_bytes // 1_000_000} MB: make room first."
        )
