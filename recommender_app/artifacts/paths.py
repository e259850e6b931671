"""Where artifacts lie: computed from checked names, never taken from a row or a request."""

from __future__ import annotations

import re
from pathlib import Path

from recommender_app.exceptions import ArtifactError

MODELS = "models"
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")


def models_folder(root: Path, use_case: str, engine: str) -> Path:
    """Return ``<root>/models/<use case>/<engine>``.

    Raises:
        ArtifactError: a name that is no plain word, or a link below the root.
    """
    return _below(root, MODELS, checked_name(use_case), checked_name(engine))


def version_folder(root: Path, use_case: str, engine: str, version: str) -> Path:
    """Return ``<root>/models/<use case>/<engine>/<version>``; raises like ``models_folder``."""
    return _below(root, MODELS, checked_name(use_case), checked_name(engine), checked_name(version))


def checked_name(name: str) -> str:
    """Return the name if it is a plain lower-case word (letters, digits, underscores)."""
    if not is_name(name):
        raise ArtifactError(f"{name!r} cannot name an artifact: use lower-case letters, digits and underscores.")
    return name


def is_name(name: object) -> bool:
    """Tell whether a value may name a use case, engine or version."""
    return isinstance(name, str) and bool(_NAME.fullmatch(name))


def _below(root: Path, *names: str) -> Path:
    """The root itself may be a link; one below it could lead anywhere, so none is followed."""
    folder = root
    for name in names:
        folder /= name
        if _is_link(folder):
            raise ArtifactError(f"{folder} is a link, and artifacts follow none: remove it.")
    return folder


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError as error:
        reason = error.strerror or error
        raise ArtifactError(f"Cannot look into {path.parent}: {reason}. Open it to this process.") from error
