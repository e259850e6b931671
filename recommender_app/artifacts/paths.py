"""Where artifacts lie: computed from checked names, never taken from a row or a request."""

from __future__ import annotations

import re
from pathlib import Path

from recommender_app.exceptions import ArtifactError

_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")


def models_folder(root: Path, use_case: str, engine: str) -> Path:
    """Return ``<root>/models/<use case>/<engine>``.

    Raises:
        ArtifactError: a name that is no plain word, or a link that leads out of the root.
    """
    return _inside(root, Path("models") / checked_name(use_case) / checked_name(engine))


def version_folder(root: Path, use_case: str, engine: str, version: str) -> Path:
    """Return ``<root>/models/<use case>/<engine>/<version>``; raises like ``models_folder``."""
    return _inside(root, Path("models") / checked_name(use_case) / checked_name(engine) / checked_name(version))


def checked_name(name: str) -> str:
    """Return the name if it is a plain lower-case word (letters, digits, underscores)."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ArtifactError(f"{name!r} cannot name an artifact: use lower-case letters, digits and underscores.")
    return name


def _inside(root: Path, relative: Path) -> Path:
    folder = root / relative
    if not folder.resolve().is_relative_to(root.resolve()):
        raise ArtifactError(f"{relative} leads out of the artifact root: remove the link.")
    return folder
