"""A pin: an artifact that an operator names by its folder, to be served instead of the release's version."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from recommender_app.artifacts.opening import read_manifest
from recommender_app.artifacts.paths import MODELS, is_name, version_folder
from recommender_app.exceptions import ArtifactError

PICKLED = (".pkl", ".pickle", ".joblib", ".pth", ".pt", ".bin")  # files that run code when they are loaded


@dataclass(frozen=True)
class Pin:
    """The three names of an artifact."""

    use_case: str
    engine: str
    version: str


def parse_pin(root: Path, engine: str, path: str | os.PathLike[str]) -> Pin:
    """Return what a path names, without looking at the disk.

    Args:
        root: the artifact root, which relative paths begin at; they may leave out ``models/``.
        engine: whose artifact it must be.

    Raises:
        ArtifactError: a pickled file, outside the root, or not ``<use case>/<engine>/<version>``.
    """
    written = Path(path)
    if written.suffix.lower() in PICKLED:
        raise ArtifactError(f"{written} is a file that runs code when it is loaded: artifacts are folders of arrays.")
    names = Path(os.path.normpath(root / written))
    if not names.is_relative_to(root):
        raise ArtifactError(f"{written} lies outside of {root}.")
    parts = names.relative_to(root).parts
    parts = parts[1:] if parts[:1] == (MODELS,) else parts
    if len(parts) != 3 or not all(is_name(part) for part in parts):
        raise ArtifactError(f"{written} names no artifact: it must read models/<use case>/<engine>/<version>.")
    pin = Pin(*parts)
    if pin.engine != engine:
        raise ArtifactError(f"{written} is an artifact of {pin.engine}, not of {engine}.")
    return pin


def check_pin(root: Path, pin: Pin) -> None:
    """Raise ArtifactError unless a folder is there whose manifest bears the same names; arrays are not read."""
    manifest = read_manifest(version_folder(root, pin.use_case, pin.engine, pin.version))
    found = (manifest.use_case, manifest.engine, manifest.version)
    if found != (pin.use_case, pin.engine, pin.version):
        raise ArtifactError(f"The folder of {pin.version} holds {' '.join(found)}: somebody moved it.")


def pinnable(root: Path, engine: str) -> list[str]:
    """Return the paths of an engine's artifacts, newest first, as they may be written."""
    folders = [folder for folder in (root / MODELS).glob(f"*/{engine}/*") if is_name(folder.name)]
    dated = sorted(((_written_at(folder), folder) for folder in folders), reverse=True)
    return [folder.relative_to(root).as_posix() for _, folder in dated]


def _written_at(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:  # it was deleted meanwhile
        return 0.0
