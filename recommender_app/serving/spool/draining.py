"""Puts what waits in the spool into the table. Twice is harmless: a row's ``request_id`` is unique."""

from __future__ import annotations

import itertools
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from recommender_app.conf import settings
from recommender_app.registry.tombstones import read_tombstones
from recommender_app.serving.forgotten import blank_forgotten_items, is_row_forgotten
from recommender_app.serving.spool.files import REJECTED, TAKEN, folder, waiting
from recommender_app.serving.spool.framing import lines
from recommender_app.serving.spool.loading import Row, added, row_of
from recommender_app.serving.spool.locking import HOLDING, is_alone

logger = logging.getLogger(__name__)

BATCH = 500
LOCK = "drain.lock"


@dataclass(frozen=True)
class Drained:
    """What a drain has done.

    Attributes:
        n_files: files that were emptied.
        n_added: rows that the table holds now.
        n_known: rows that it held already.
        n_rejected: lines that no row can be made of; they lie in ``.rejected`` files.
    """

    n_files: int = 0
    n_added: int = 0
    n_known: int = 0
    n_rejected: int = 0


def drain() -> Drained | None:
    """Put every waiting row into the request log; None where another drain is at work on the folder.

    A drain that ends halfway, killed or because the database refuses, leaves its file, and the
    next one goes on.

    Raises:
        DatabaseError: the table takes nothing; everything waits on.
        OSError: the folder cannot be read or written.
    """
    if not folder().is_dir():
        return Drained()
    with _alone() as is_alone:
        return _drained() if is_alone else None


def _drained() -> Drained:
    _remove_old_rejected()
    done = Drained()
    for path in waiting():
        taken = path if path.suffix == TAKEN else _taken(path)
        if taken is not None:
            done = _emptied(taken, done)
    return done


@contextmanager
def _alone() -> Iterator[bool]:
    """Hold the folder's lock, which the system releases however the process ends; say whether it was free."""
    descriptor = os.open(folder() / LOCK, HOLDING, 0o600)
    try:
        yield is_alone(descriptor)
    finally:
        os.close(descriptor)


def _taken(path: Path) -> Path | None:
    """Rename a file that nobody writes at this moment, after which nobody will; None if it is busy."""
    taken = path.with_name(f"{path.stem}-{time.time_ns()}{TAKEN}")
    with path.open("rb") as file:
        if not is_alone(file.fileno()):
            return None
        path.rename(taken)
    return taken


def _emptied(path: Path, done: Drained) -> Drained:
    """Put the rows of a file into the table and delete it; return what is done now."""
    rejected = path.with_suffix(REJECTED)
    rejected.unlink(missing_ok=True)  # of a drain that ended halfway
    n_before = done.n_rejected
    with path.open("rb") as file:
        rest = lines(file)
        while batch := list(itertools.islice(rest, BATCH)):
            done = _loaded(batch, rejected, done)
    if done.n_rejected > n_before:
        n_lines = done.n_rejected - n_before
        logger.error("%d lines of the spool cannot be put into the request log; they lie in %s.", n_lines, rejected)
    path.unlink()
    return replace(done, n_files=done.n_files + 1)


def _loaded(batch: list[bytes], rejected: Path, done: Drained) -> Drained:
    found = [(line, row_of(line)) for line in batch]
    tombstones = read_tombstones()  # whoever was forgotten while the row waited is not brought back
    rows = [
        Row(line, row)
        for line, row in found
        if row is not None and not is_row_forgotten(tombstones, row.use_case, row.user_id)
    ]
    blanked = {row.line for row in rows if blank_forgotten_items(tombstones, row.log)}
    new, refused = added(rows)
    bad = [line for line, log in found if log is None] + [row.line for row in refused if row.line not in blanked]
    if bad:
        _set_aside(bad, rejected)
    return Drained(
        done.n_files,
        done.n_added + len(new),
        done.n_known + len(rows) - len(new) - len(refused),
        done.n_rejected + len(bad),
    )


def _set_aside(bad: list[bytes], path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        file.writelines(line + b"\n" for line in bad)


def _remove_old_rejected() -> None:
    for path in folder().glob(f"*{REJECTED}"):
        if time.time() - path.stat().st_mtime > settings.SPOOL_REJECTED_DAYS * 86_400:
            path.unlink()
