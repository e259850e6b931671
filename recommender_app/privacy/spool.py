"""Rows that wait on disk for the request log: of a person, and such that name the person as an item."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from recommender_app.privacy.subject import Subject
from recommender_app.serving.spool.draining import drain
from recommender_app.serving.spool.files import REJECTED, folder, waiting
from recommender_app.serving.spool.framing import lines
from recommender_app.usecases.declaration import UseCase


def count_spooled(subject: Subject) -> int:
    """Return how many lines of this host's spool name a person."""
    n_found = 0
    for path in [*waiting(), *_rejected()]:
        with path.open("rb") as file:
            n_found += sum(_names(line, subject) for line in lines(file))
    return n_found


def empty_spool(subject: Subject) -> None:
    """Put what waits into the table, but for the ids of those who are forgotten, and clean what was set aside.

    Raises:
        DatabaseError, OSError: see ``drain``.
    """
    drain()
    for path in _rejected():
        with path.open("rb") as file:
            found, status = list(lines(file)), os.fstat(file.fileno())
        kept = [line for line in found if not _names(line, subject)]
        if len(kept) < len(found):
            path.write_bytes(b"".join(line + b"\n" for line in kept))
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # it goes as soon as it would have


def _rejected() -> list[Path]:
    return sorted(folder().glob(f"*{REJECTED}"))


def _names(line: bytes, subject: Subject) -> bool:
    """Tell whether a line is about a person, or shows the person to somebody else."""
    text = json.dumps(subject.text).encode("ascii")
    is_about = b'"user_id":' + text in line and _is_of(line, subject.use_cases)
    return is_about or (b'"item":' + text in line and bool(subject.shown_in) and _is_of(line, subject.shown_in))


def _is_of(line: bytes, use_cases: Sequence[UseCase]) -> bool:
    """Tell whether a line is of one of the use cases; a torn one that names none counts as theirs."""
    named = [b'"use_case":' + json.dumps(use_case.key).encode("ascii") for use_case in use_cases]
    return b'"use_case":' not in line or any(name in line for name in named)
