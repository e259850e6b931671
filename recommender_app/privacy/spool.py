"""Rows of a user that wait on disk for the request log."""

from __future__ import annotations

import json
from collections.abc import Sequence

from recommender_app.serving.spool.draining import drain
from recommender_app.serving.spool.files import REJECTED, folder, waiting
from recommender_app.serving.spool.framing import lines
from recommender_app.usecases.declaration import UseCase


def count_spooled(use_cases: Sequence[UseCase], text: str) -> int:
    """Return how many lines of this host's spool are about a user."""
    needle = _needle(text)
    n_found = 0
    for path in [*waiting(), *folder().glob(f"*{REJECTED}")]:
        with path.open("rb") as file:
            n_found += sum(needle in line and _is_of(line, use_cases) for line in lines(file))
    return n_found


def empty_spool(use_cases: Sequence[UseCase], text: str) -> None:
    """Put what waits into the table, but for rows of those who are forgotten, and clean what was set aside.

    Raises:
        DatabaseError, OSError: see ``drain``.
    """
    drain()
    needle = _needle(text)
    for path in folder().glob(f"*{REJECTED}"):
        with path.open("rb") as file:
            found = list(lines(file))
        kept = [line for line in found if not (needle in line and _is_of(line, use_cases))]
        if len(kept) < len(found):
            path.write_bytes(b"".join(line + b"\n" for line in kept))


def _needle(text: str) -> bytes:
    return b'"user_id":' + json.dumps(text).encode("ascii")


def _is_of(line: bytes, use_cases: Sequence[UseCase]) -> bool:
    """Tell whether a line is of one of the use cases; a torn one that names none counts as theirs."""
    named = [b'"use_case":' + json.dumps(use_case.key).encode("ascii") for use_case in use_cases]
    return b'"use_case":' not in line or any(name in line for name in named)
