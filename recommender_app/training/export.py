"""From the host's tables to an immutable dataset folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recommender_app.conf import settings
from recommender_app.dataset.features import Features
from recommender_app.dataset.manifest import check_files, read_manifest
from recommender_app.dataset.ordering import canonical_order
from recommender_app.dataset.staging import discard_folder, publish_folder, staging_folder
from recommender_app.dataset.writing import DatasetParts, write_files
from recommender_app.exceptions import DatasetError
from recommender_app.registry.tombstones import read_tombstones
from recommender_app.trainers.base import Progress, silent
from recommender_app.training.export_collected import Collected
from recommender_app.training.export_options import ExportOptions
from recommender_app.training.export_rows import collect_interactions
from recommender_app.training.export_selection import with_active_users, with_decay, without_forgotten
from recommender_app.training.export_trust import with_trusted
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.exporting import read_features
from recommender_app.usecases.profiles import item_fields, user_fields
from recommender_app.usecases.rows import microseconds
from recommender_app.usecases.snapshot import snapshot, tables_of

EVERYTHING = ExportOptions()
ROWS_PER_CHUNK = 10_000
FEATURES_PER_CHUNK = 2_000
MAPPINGS = ("user_mapping.json", "item_mapping.json")  # derived from the ids; not part of the content


@dataclass(frozen=True)
class ExportedDataset:
    """A dataset folder, its manifest, and whether it was there already."""

    path: Path
    manifest: dict[str, Any]
    is_reused: bool


def export_dataset(
    use_case: UseCase,
    options: ExportOptions = EVERYTHING,
    progress: Progress = silent,
    *,
    chunk_size: int = ROWS_PER_CHUNK,
) -> ExportedDataset:
    """Write the dataset of a use case from one snapshot of the database; equal content is reused.

    Users: those with interactions. Items: those with interactions and all others that exist, so
    that content engines know new ones. Folder:
    ``<ARTIFACT_ROOT>/datasets/<use case>/<fingerprint>/``.

    Args:
        chunk_size: rows held as Python objects at a time; does not change the result.

    Raises:
        DatasetError: no interactions, a weight that is no finite number, an unwritable root;
            nothing stays on disk.
    """
    parent = settings.artifact_root / "datasets" / use_case.key
    with staging_folder(parent) as staging:
        as_of = datetime.now(UTC).isoformat()  # before the snapshot: what changes from here on may be missing
        with snapshot(tables_of(use_case)):
            collected = _collect(use_case, options, progress, chunk_size)
            parts = _parts(use_case, options, collected, progress, chunk_size)
            manifest = write_files(staging, replace(parts, as_of=as_of))
        if options.json_mappings:
            _write_mappings(staging, collected)
        place = parent / manifest["fingerprint"]
        is_reused = _is_intact(place) or not publish_folder(staging, place)
        if is_reused and options.json_mappings:
            _add_mappings(staging, place)
    return ExportedDataset(place, read_manifest(place), is_reused)


def _collect(use_case: UseCase, options: ExportOptions, progress: Progress, chunk_size: int) -> Collected:
    since, until = options.window
    collected = collect_interactions(use_case, (since, until), chunk_size, progress)
    collected = without_forgotten(use_case, collected, read_tombstones())
    collected = with_trusted(use_case, collected, until, chunk_size)
    collected = with_active_users(collected, options.min_interactions)
    if not len(collected.interactions):
        raise DatasetError(
            f"Use case {use_case.key!r} has no interactions to export: record some with the events "
            f"{', '.join(use_case.weights) or '(its weights name none)'}, or widen since, until and min-interactions. "
            "Accounts younger than MIN_ACCOUNT_AGE_DAYS do not count."
        )
    end = None if until is None else microseconds(until)
    table = with_decay(collected.interactions, use_case.half_life_days, end)
    return replace(collected, interactions=canonical_order(table))  # here, so that no second copy outlives this line


def _parts(
    use_case: UseCase, options: ExportOptions, collected: Collected, progress: Progress, chunk_size: int
) -> DatasetParts:
    size = min(chunk_size, FEATURES_PER_CHUNK)
    users, items = collected.users, collected.items
    user_chunks = read_features(user_fields(use_case), users, size)
    item_chunks = read_features(item_fields(use_case), items, size)
    return DatasetParts(
        users,
        items,
        collected.interactions,
        _counted(user_chunks, len(users), progress, "users"),
        _counted(item_chunks, len(items), progress, "items"),
        use_case.pair_weighting,
        use_case.evaluated_events,
        use_case.weights,
        {"use_case": use_case.key, "half_life_days": use_case.half_life_days, "options": options.to_json()},
    )


def _counted(chunks: Iterable[Features], total: int, progress: Progress, label: str) -> Iterator[Features]:
    done = 0
    for chunk in chunks:
        yield chunk
        done += len(chunk)
        progress(done, total, label)


def _is_intact(place: Path) -> bool:
    """Tell whether equal content is there already; a damaged folder makes room."""
    if not place.exists():
        return False
    try:
        check_files(place, read_manifest(place), with_content=False)
    except DatasetError:
        discard_folder(place)
        return False
    return True


def _write_mappings(folder: Path, collected: Collected) -> None:
    for name, ids in zip(MAPPINGS, (collected.users, collected.items), strict=True):
        rows = {str(key): row for row, key in enumerate(ids.ids(range(len(ids))))}
        (folder / name).write_text(json.dumps(rows), encoding="utf-8")


def _add_mappings(staging: Path, place: Path) -> None:
    for name in MAPPINGS:
        (staging / name).replace(place / name)
