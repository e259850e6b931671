"""The description inside a dataset folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from recommender_app.dataset.fingerprint import file_sha256
from recommender_app.exceptions import DatasetError

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
# What every manifest says; exports add use_case, options, half_life_days, created_at and as_of.
REQUIRED: dict[str, type] = {
    "format_version": int,
    "fingerprint": str,
    "counts": dict,  # users, items, interactions, pairs, events: {event: n}
    "id_kinds": dict,  # users, items: int | uuid | str
    "event_names": list,
    "event_weights": dict,
    "relevant_events": list,
    "pair_weighting": str,
    "files": dict,  # name: {size, sha256}
}


def describe_files(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return size in bytes and SHA-256 of files."""
    return {name: {"size": (folder / name).stat().st_size, "sha256": file_sha256(folder / name)} for name in names}


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest as readable JSON."""
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a dataset folder.

    Raises:
        DatasetError: there is no dataset, or not one of this format.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise DatasetError(f"There is no dataset in {folder}: make one with recommender_export.") from None
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read ({error}): export the dataset again.") from None
    if not isinstance(manifest, dict) or any(not isinstance(manifest.get(key), REQUIRED[key]) for key in REQUIRED):
        raise DatasetError(f"{path} does not describe a dataset: name a folder that recommender_export wrote.")
    if manifest["format_version"] != FORMAT_VERSION:
        raise DatasetError(
            f"{folder} has dataset format {manifest['format_version']}, not {FORMAT_VERSION}: export again."
        )
    return manifest


def check_files(folder: Path, manifest: dict[str, Any], *, with_content: bool = True) -> None:
    """Compare the files with the manifest: their sizes and, ``with_content``, their hashes.

    Raises:
        DatasetError: a file is missing or altered.
    """
    for name, expected in manifest["files"].items():
        path = folder / Path(name).name
        try:
            is_same = path.stat().st_size == expected["size"]
            is_same = is_same and (not with_content or file_sha256(path) == expected["sha256"])
        except (OSError, KeyError, TypeError):
            is_same = False
        if not is_same:
            raise DatasetError(f"{path} is missing or was altered: delete {folder} and export the dataset again.")
