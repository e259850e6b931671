"""The files of a dataset folder, written from a dataset that need not fit into memory whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from recommender_app.dataset.features import Features
from recommender_app.dataset.fingerprint import Fingerprint
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import InteractionTable
from recommender_app.dataset.manifest import FORMAT_VERSION, describe_files, write_manifest
from recommender_app.dataset.ordering import canonical_order
from recommender_app.dataset.pairs import PairWeighting, weigh_pairs
from recommender_app.dataset.tables import write_features, write_interactions

USER_IDS, ITEM_IDS = "user_ids.npy", "item_ids.npy"
INTERACTIONS = "interactions.parquet"
USER_FEATURES, ITEM_FEATURES = "user_features.parquet", "item_features.parquet"
MATRIX_PARTS = ("data", "indices", "indptr")  # matrix_<part>.npy, canonical CSR


@dataclass(frozen=True)
class DatasetParts:
    """A dataset whose features come in chunks of rows; see ``Dataset`` for the rest.

    ``about`` is what else defines the content (use case, options): JSON that goes into the
    manifest and into the fingerprint. ``as_of`` (ISO 8601, UTC, "" = unknown) is when reading
    began; equal content keeps its fingerprint whenever it was read.
    """

    users: IdMap
    items: IdMap
    interactions: InteractionTable
    user_features: Iterable[Features]
    item_features: Iterable[Features]
    pair_weighting: PairWeighting = "max"
    relevant_events: tuple[str, ...] = ()
    event_weights: Mapping[str, float] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    as_of: str = ""


def write_files(folder: Path, parts: DatasetParts) -> dict[str, Any]:
    """Write all files of a dataset into an existing folder and return its manifest."""
    interactions = canonical_order(parts.interactions)
    declared = _declared(parts)
    fingerprint = Fingerprint()
    fingerprint.add("declared", declared)
    fingerprint.add_interactions(interactions)
    write_interactions(folder / INTERACTIONS, interactions)
    _write_ids(folder, parts, fingerprint)
    _write_features(folder / USER_FEATURES, parts.user_features, fingerprint)
    _write_features(folder / ITEM_FEATURES, parts.item_features, fingerprint)
    n_pairs = _write_matrix(folder, interactions, parts)
    manifest = {
        **declared,
        "fingerprint": fingerprint.hexdigest(),
        "created_at": datetime.now(UTC).isoformat(),
        "as_of": parts.as_of,
        "event_names": list(interactions.event_names),
        "counts": _counts(parts, interactions) | {"pairs": n_pairs},
        "time_range": _time_range(interactions),
        "files": describe_files(folder, sorted(path.name for path in folder.iterdir())),
    }
    write_manifest(folder, manifest)
    return manifest


def _declared(parts: DatasetParts) -> dict[str, Any]:
    return {
        **parts.about,
        "format_version": FORMAT_VERSION,
        "id_kinds": {"users": parts.users.kind, "items": parts.items.kind},
        "event_weights": dict(parts.event_weights),
        "relevant_events": list(parts.relevant_events),
        "pair_weighting": parts.pair_weighting,
    }


def _write_ids(folder: Path, parts: DatasetParts, fingerprint: Fingerprint) -> None:
    for name, ids in ((USER_IDS, parts.users), (ITEM_IDS, parts.items)):
        fingerprint.add_array(name, ids.keys)
        np.save(folder / name, ids.keys, allow_pickle=False)


def _write_features(path: Path, chunks: Iterable[Features], fingerprint: Fingerprint) -> None:
    for number, chunk in enumerate(write_features(path, chunks)):
        if number == 0:
            fingerprint.add(path.name, list(chunk.number_names))
        fingerprint.add_features(chunk)


def _write_matrix(folder: Path, interactions: InteractionTable, parts: DatasetParts) -> int:
    matrix = weigh_pairs(interactions, (len(parts.users), len(parts.items)), parts.pair_weighting)
    for part in MATRIX_PARTS:
        np.save(folder / f"matrix_{part}.npy", getattr(matrix, part), allow_pickle=False)
    return int(matrix.nnz)


def _counts(parts: DatasetParts, interactions: InteractionTable) -> dict[str, Any]:
    of_events = np.bincount(interactions.events, minlength=len(interactions.event_names))
    return {
        "users": len(parts.users),
        "items": len(parts.items),
        "interactions": len(interactions),
        "events": {name: int(of_events[code]) for code, name in enumerate(interactions.event_names)},
    }


def _time_range(interactions: InteractionTable) -> list[str] | None:
    if not len(interactions):
        return None
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    ends = (interactions.times.min(), interactions.times.max())
    return [(epoch + timedelta(microseconds=int(end))).isoformat() for end in ends]
