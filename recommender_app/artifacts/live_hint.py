"""LIVE hints: which release a starting process loads, so that it needs no query. The database row is the truth."""

from __future__ import annotations

import json
import logging
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recommender_app.artifacts.paths import checked_name
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
        with staged.open("w", encoding="utf-8") as file:
            json.dump({"release": hint.release, "versions": dict(hint.versions)}, file, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(place)
    except OSError as error:
        staged.unlink(missing_ok=True)
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
    except (OSError, ValueError) as error:
        logger.warning("The LIVE hint of %s is not usable (%s): the database decides.", use_case, error)
        return None


def live_use_cases(root: Path) -> list[str]:
    """Return the use cases that have a hint, sorted; none where there is no folder."""
    try:
        names = sorted(path.name for path in (Path(root) / FOLDER).iterdir() if path.is_file())
    except OSError:
        return []
    return [name for name in names if not name.startswith(".") and _is_name(name)]


def _parsed(use_case: str, values: Any) -> LiveHint:
    if not isinstance(values, dict) or not isinstance(values.get("release"), int):
        raise ValueError("it names no release")  # noqa: TRY004  one kind of error for all malformed hints
    versions = values.get("versions")
    if not isinstance(versions, dict) or not all(isinstance(name, str) for name in versions.values()):
        raise ValueError("it names no versions")
    return LiveHint(use_case, values["release"], versions)


def _is_name(name: str) -> bool:
    try:
        return bool(checked_name(name))
    except ArtifactError:
        return False
