"""Appends rows. The file is opened for each: nothing is held across a fork, and threads need no lock.

A row is in the operating system's hands before its answer goes out, so it outlives the process
however that ends. It outlives the machine once the system has flushed it (half a minute on Linux),
or at once with SPOOL_FSYNC.
"""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

from recommender_app.conf import settings
from recommender_app.serving.log_rows import Values
from recommender_app.serving.spool.files import folder, path_of_this_process, used_bytes
from recommender_app.serving.spool.framing import framed
from recommender_app.serving.spool.locking import APPENDING, is_shared

ATTEMPTS, PAUSE_SECONDS = 100, 0.001  # a drain holds a file for as long as renaming it takes
LOOK_SECONDS = 1.0  # how long the folder's size is believed

_size = 0
_looked_at = float("-inf")


def append(values: Values) -> None:
    """Append one row to this process's file.

    Raises:
        OSError: the folder cannot be written, the disk or the spool is full.
    """
    line = framed(values)
    _make_room(len(line))
    descriptor = _opened(path_of_this_process())
    try:
        if os.write(descriptor, line) < len(line):
            raise OSError(errno.ENOSPC, "Only a part of the row could be written")
        if settings.SPOOL_FSYNC:
            os.fsync(descriptor)
            _sync_folder()
    finally:
        os.close(descriptor)


def _make_room(n_bytes: int) -> None:
    """Refuse what would be more than SPOOL_MAX_MB in the folder, looked up once a second."""
    global _size, _looked_at
    now = time.monotonic()
    if now - _looked_at >= LOOK_SECONDS:
        _size, _looked_at = used_bytes(), now
    _size += n_bytes
    if _size > settings.SPOOL_MAX_MB * 1_000_000:
        raise OSError(errno.EDQUOT, f"The spool {folder()} holds SPOOL_MAX_MB")


def _opened(path: Path) -> int:
    """Return a descriptor of the file, opened and held so that no drain takes the file before it is closed."""
    for _ in range(ATTEMPTS):
        try:
            descriptor = os.open(path, APPENDING, 0o600)
        except FileNotFoundError:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            continue
        if _is_held(descriptor, path):
            return descriptor
        os.close(descriptor)
        time.sleep(PAUSE_SECONDS)
    raise OSError(errno.EAGAIN, f"{path} is held by another process")


def _is_held(descriptor: int, path: Path) -> bool:
    """Share the file's lock, as every writer does; tell whether the file still has its name."""
    try:
        return is_shared(descriptor) and os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _sync_folder() -> None:
    descriptor = os.open(folder(), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
