"""A folder appears whole or not at all: staged beside its place, synced, renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from recommender_app.exceptions import DatasetError, RecommenderError

PREFIX = ".staging-"
FOLDER_MODE = 0o750  # datasets and models tell about people: the owner's and the group's business only
LEFTOVER_SECONDS = 2 * 86_400  # no export takes that long
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def staging_folder(parent: Path, refusal: type[RecommenderError] = DatasetError) -> Iterator[Path]:
    """Yield a new folder inside ``parent``; whatever was not published from it is deleted at the end.

    Raises:
        refusal: the disk refuses, here or in the body.
    """
    staging = parent / f"{PREFIX}{uuid.uuid4().hex}"
    missing: list[Path] = []
    try:
        missing += [folder for folder in (parent, *parent.parents) if not folder.exists()]
        staging.mkdir(parents=True)
        staging.chmod(FOLDER_MODE)
        remove_leftovers(parent)
        yield staging
    except OSError as error:
        raise refusal(f"Cannot write to {parent}: {error.strerror or error}. {_advice(error)}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for folder in missing:
            with contextlib.suppress(OSError):  # a folder that holds something by now stays
                folder.rmdir()


def publish_folder(staging: Path, place: Path) -> bool:
    """Sync the staged files to disk and rename the folder into place; False if somebody was faster."""
    for path in [*staging.iterdir(), staging]:
        sync(path)
    try:
        staging.rename(place)
    except OSError:
        if place.is_dir():
            return False
        raise
    sync(place.parent)
    return True


def discard_folder(place: Path) -> None:
    """Take a folder out of its place in one step, then delete it."""
    aside = place.parent / f"{PREFIX}{uuid.uuid4().hex}"
    place.rename(aside)
    shutil.rmtree(aside)


def remove_leftovers(parent: Path, older_than_seconds: float = LEFTOVER_SECONDS) -> None:
    """Delete what processes that were killed left in ``parent`` long ago."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else may be deleting it
            if time.time() - folder.stat().st_mtime > older_than_seconds:
                shutil.rmtree(folder)


def _advice(error: OSError) -> str:
    if error.errno in _FULL:
        return "Make room on the disk, or point ARTIFACT_ROOT to a larger one."
    return "Make ARTIFACT_ROOT a folder that this process may write to."


def sync(path: Path) -> None:
    """Wait until a file or the entries of a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
