"""Locks of files, where the system has them; elsewhere (Windows) one process at a time must write and drain."""

from __future__ import annotations

import os

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

APPENDING = (
    os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
)  # never through a link
HOLDING = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)


def is_shared(descriptor: int) -> bool:
    """Share a file with other writers; False where somebody has it alone."""
    return fcntl is None or _is_locked(descriptor, fcntl.LOCK_SH)


def is_alone(descriptor: int) -> bool:
    """Take a file alone; False where somebody holds it."""
    return fcntl is None or _is_locked(descriptor, fcntl.LOCK_EX)


def _is_locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
