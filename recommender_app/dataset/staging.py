"""A folder appears whole or not at all: staged beside its place, synced, renamed."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from recommender_app.exceptions import DatasetError, RecommenderError

PREFIX = ".staging-"
LEFTOVER_SECONDS = 2 * 86_400  # no export takes that long


@contextlib.contextmanager
def staging_folder(parent: Path, refusal: type[RecommenderError] = DatasetError) -> Iterator[Path]:
    """Yield a new folder inside ``parent``; whatever was not published from it is deleted at the end.

    Raises:
        refusal: the disk refuses, here or in the body.
    """
    staging = parent / f"{PREFIX}{uuid.uuid4().hex}"
    missing = [folder for folder in (parent, *parent.parents) if not folder.exists()]
    try:
        staging.mkdir(parents=True)
        _remove_leftovers(parent)
        yield staging
    except OSError as error:
        reason = error.strerror or error
        raise refusal(f"Cannot write to {parent}: {reason}. Make ARTIFACT_ROOT a writable folder.") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for folder in missing:
            with contextlib.suppress(OSError):  # a folder that holds something by now stays
                folder.rmdir()


def publish_folder(staging: Path, place: Path) -> bool:
    """Sync the staged files to disk and rename the folder into place; False if somebody was faster."""
    for path in [*staging.iterdir(), staging]:
        _sync(path)
    try:
        staging.rename(place)
    except OSError:
        if place.is_dir():
            return False
        raise
    _sync(place.parent)
    return True


def discard_folder(place: Path) -> None:
    """Take a folder out of its place in one step, then delete it."""
    aside = place.parent / f"{PREFIX}{uuid.uuid4().hex}"
    place.rename(aside)
    shutil.rmtree(aside)


def _remove_leftovers(parent: Path) -> None:
    """Delete what processes that were killed left here long ago."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else may be deleting it
            if time.time() - folder.stat().st_mtime > LEFTOVER_SECONDS:
                shutil.rmtree(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
