"""LIVE hints: which release a starting process loads, so that it needs no query. The database row is the truth."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recommender_app.artifacts.arrays import FILE_MODE
from recommender_app.artifacts.paths import checked_name, is_name
from recommender_app.dataset.staging import sync
from recommender_app.exceptions import ArtifactError

logger = logging.getLogger(__name__)

FOLDER = "LIVE"
_MAX_CHARACTERS = 65_536  # a hint is a few hundred


@dataclass(frozen=True)
class LiveHint:
    """Number of a use case's live release and its versions, {engine key: version name}."""

    use_case: str
    release: int
    versions: Mapping[str, str]


def write_live_hint(root: Path, hint: LiveHint) -> None:
    """Replace the hint of a use case in one step.

    Raises:
        ArtifactError: the disk refuses; the hint before it stays.
    """
    place = Path(root) / FOLDER / checked_name(hint.use_case)
    staged = place.with_name(f".{place.name}-{uuid.uuid4().hex}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _write(staged, {"release": hint.release, "versions": dict(hint.versions)})
        staged.replace(place)
        sync(place.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            staged.unlink()
        raise ArtifactError(f"Cannot write {place}: {error.strerror or error}. Make ARTIFACT_ROOT writable.") from error


def delete_live_hint(root: Path, use_case: str) -> None:
    """Remove the hint of a use case, if there is one."""
    (Path(root) / FOLDER / checked_name(use_case)).unlink(missing_ok=True)


def read_live_hint(root: Path, use_case: str) -> LiveHint | None:
    """Return the hint of a use case; None, with a line in the log, where it cannot be understood."""
    place = Path(root) / FOLDER / checked_name(use_case)
    try:
        with place.open(encoding="utf-8") as file:
            return _parsed(use_case, json.loads(file.read(_MAX_CHARACTERS)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:  # RecursionError: absurdly nested lists
        logger.warning("The LIVE hint of %s is not usable (%s): the database decides.", use_case, error)
        return None


def live_use_cases(root: Path) -> list[str]:
    """Return the use cases that have a hint, sorted; none where there is no folder."""
    try:
        names = sorted(path.name for path in (Path(root) / FOLDER).iterdir() if path.is_file())
    except OSError:
        return []
    return [name for name in names if is_name(name)]


def remove_stale_hints(root: Path, older_than_seconds: float) -> None:
    """Delete what was staged by processes that were killed before they could put it in its place."""
    for path in (Path(root) / FOLDER).glob(f".*-{'?' * 32}"):
        with contextlib.suppress(OSError):  # somebody else may be deleting it
            if time.time() - path.stat().st_mtime > older_than_seconds:
                path.unlink()


def _write(path: Path, values: dict[str, Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(values, file, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(FILE_MODE)


def _parsed(use_case: str, values: Any) -> LiveHint:
    if not isinstance(values, dict) or type(values.get("release")) is not int:
        raise ValueError("it names no release")
    versions = values.get("versions")
    if not isinstance(versions, dict) or not all(is_name(name) for pair in versions.items() for name in pair):
        raise ValueError("it names no versions")
    return LiveHint(use_case, values["release"], versions)
