"""From an artifact folder to an engine that recommends, with numpy and scipy alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from recommender_app.artifacts.arrays import open_array
from recommender_app.artifacts.index import with_stored_index
from recommender_app.artifacts.manifest import FILE_NAME, ITEM_IDS, Manifest
from recommender_app.dataset.features import Features
from recommender_app.dataset.ids import UNKNOWN_ROW, IdMap
from recommender_app.engines.base import Engine
from recommender_app.engines.batch import RequestBatch
from recommender_app.engines.catalog import engine_class
from recommender_app.engines.ensemble import EnsembleEngine
from recommender_app.exceptions import ArtifactDamaged, ArtifactError, ArtifactMissing, EngineError

MAX_MANIFEST_BYTES = 4_000_000


@dataclass(frozen=True)
class Recommendation:
    """One recommended item: the host's id, a finite score (higher is better), 1-based rank."""

    id: Any
    score: float
    rank: int


@dataclass(frozen=True)
class OpenedArtifact:
    """A verified, memory-mapped artifact."""

    engine: Engine
    items: IdMap
    manifest: Manifest
    path: Path

    def recommend(
        self,
        history: Mapping[Any, float] | Sequence[Any] = (),
        k: int = 10,
        exclude: Iterable[Any] = (),
        profile_text: str = "",
        profile_terms: Sequence[str] = (),
    ) -> list[Recommendation]:
        """Return at most k items, best first, without the history and ``exclude``.

        Args:
            history: item ids, or {item id: weight}, negative = disliked; unknown ids are ignored.
            k: how many, at least 0.
            exclude: ids that must not come back; unknown ids are ignored.
            profile_text, profile_terms: what is known about the user, for engines that use it.

        Raises:
            EngineError: k is negative, a weight is not finite, or it is an ensemble.
        """
        if isinstance(self.engine, EnsembleEngine) and not self.engine.members:
            wanted = ", ".join(sorted(self.engine.weights))
            raise EngineError(f"An ensemble needs its members: open one of them ({wanted}), or ask a running site.")
        weights = dict(history) if isinstance(history, Mapping) else dict.fromkeys(history, 1.0)
        if k < 0 or not all(math.isfinite(weight) for weight in weights.values()):
            raise EngineError("recommend() needs k of at least 0 and finite history weights.")
        known = self._row_of({item: weight for item, weight in weights.items() if weight != 0})
        profile = Features([profile_text], [tuple(profile_terms)]) if profile_text or profile_terms else None
        batch = RequestBatch(
            np.array([UNKNOWN_ROW], dtype=np.int32), known, np.zeros(known.nnz, dtype=np.float32), profile
        )
        hidden = self._row_of(dict.fromkeys([*weights, *exclude], 1.0))
        rows, scores = self.engine.candidates(batch, k, hidden)
        is_item = rows[0] >= 0
        ids = self.items.ids(rows[0][is_item])
        ranked = zip(ids, scores[0][is_item].tolist(), strict=True)
        return [Recommendation(item, score, rank) for rank, (item, score) in enumerate(ranked, start=1)]

    def _row_of(self, weights: Mapping[Any, float]) -> sparse.csr_matrix:
        """(1, n_items) canonical CSR of the weights of known ids."""
        rows = self.items.rows(list(weights))
        values = np.array(list(weights.values()), dtype=np.float32)
        is_known = rows >= 0
        matrix = sparse.csr_matrix(
            (values[is_known], (np.zeros(int(is_known.sum()), dtype=np.int32), rows[is_known])),
            shape=(1, len(self.items)),
        )
        matrix.sort_indices()
        return matrix


def open_engine(path: str | Path) -> OpenedArtifact:
    """Verify and open one version folder.

    This is the artifact loader: the one place beside serving and the log writer that catches
    every exception, because damaged files make numpy and the engines raise anything.

    Raises:
        ArtifactMissing: there is no such folder.
        ArtifactTooNew: it is of a format that only newer code reads.
        ArtifactDamaged: a file is missing, altered or malformed, or the engine refuses its arrays.
    """
    return open_folder(Path(path), Path(path).name)


def open_folder(folder: Path, name: str) -> OpenedArtifact:
    """Do what ``open_engine`` does; messages call the artifact ``name``."""
    manifest = read_manifest(folder, name)
    try:
        arrays = {key: open_array(folder, key, entry) for key, entry in manifest.arrays.items()}
        items = IdMap(manifest.id_kind, arrays.pop(ITEM_IDS))  # type: ignore[arg-type]
        engine = engine_class(manifest.engine).from_state(arrays)
    except ArtifactError as error:
        raise type(error)(f"{name}: {error}") from error
    except Exception as error:  # whatever bytes make numpy or an engine do: the artifact is at fault
        raise ArtifactDamaged(f"{name} cannot be opened: {_one_line(error)}") from error
    if not len(items) == engine.n_items == manifest.n_items:
        sizes = f"{len(items)} ids, {engine.n_items} engine rows, {manifest.n_items} in the manifest"
        raise ArtifactDamaged(f"{name} disagrees on its items: {sizes}.")
    return OpenedArtifact(with_stored_index(engine, manifest, folder, name), items, manifest, folder)


def read_manifest(folder: Path, name: str = "") -> Manifest:
    """Return the manifest of a version folder; messages call it ``name``, the folder's name if empty.

    Raises:
        ArtifactMissing: there is no such folder.
        ArtifactDamaged: it has no valid manifest.
    """
    path, name = folder / FILE_NAME, name or folder.name
    try:
        if not folder.is_dir():
            raise ArtifactMissing(f"There is no artifact folder {name}: train the engine, or promote another version.")
        if path.is_symlink() or not path.is_file():
            raise ArtifactDamaged(f"{name} has no manifest.")
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise ArtifactDamaged(f"{name}: the manifest is larger than {MAX_MANIFEST_BYTES} bytes.")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactDamaged(f"{name} has no readable manifest: {_one_line(error)}") from error
    try:
        return Manifest.from_json(text)
    except ArtifactDamaged as error:
        raise type(error)(f"{name}: {error}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
