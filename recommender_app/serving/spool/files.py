"""Where the spool lies, and how much waits in it.

``<host>-<process>.spool`` is appended to by one process; the drain renames it to ``.taken``, puts
what it contains into the table and deletes it; ``.rejected`` holds the lines that no row can be made of.
"""

from __future__ import annotations

import os
import re
import socket
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils import timezone

from recommender_app.conf import settings
from recommender_app.serving.spool.framing import lines, unframed

SPOOL, TAKEN, REJECTED = ".spool", ".taken", ".rejected"


@dataclass(frozen=True)
class SpoolState:
    """What lies in the spool.

    Attributes:
        folder: where it lies.
        is_readable: whether this process may look; everything else is 0 where it may not.
        n_files, n_bytes: rows that wait for the table.
        oldest_seconds: age of the oldest of them; None where none waits.
        n_rejected_files: files of lines that were set aside.
    """

    folder: str
    is_readable: bool = True
    n_files: int = 0
    n_bytes: int = 0
    oldest_seconds: float | None = None
    n_rejected_files: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


def folder() -> Path:
    """Return the spool's folder, which need not exist."""
    return Path(settings.SPOOL_DIR).resolve() if settings.SPOOL_DIR else settings.artifact_root / "spool"


def path_of_this_process() -> Path:
    """Return the file that this process appends to; asked anew for each row, because processes fork."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:64]
    return folder() / f"{host}-{os.getpid()}{SPOOL}"


def used_bytes() -> int:
    """Return the size of everything in the folder; 0 where there is none."""
    try:
        with os.scandir(folder()) as entries:
            return sum(_size(entry) for entry in entries)
    except FileNotFoundError:
        return 0


def waiting() -> list[Path]:
    """Return the files whose rows wait for the table, by name."""
    return sorted(path for suffix in (SPOOL, TAKEN) for path in folder().glob(f"*{suffix}"))


def spool_state() -> SpoolState:
    """Return what waits and for how long."""
    try:
        return _read_state()
    except OSError:
        return SpoolState(str(folder()), is_readable=False)


def _read_state() -> SpoolState:
    sizes = {path: size for path in waiting() if (size := _size(path))}
    starts = [start for path in sizes if (start := _first_time(path)) is not None]
    return SpoolState(
        str(folder()),
        n_files=len(sizes),
        n_bytes=sum(sizes.values()),
        oldest_seconds=(timezone.now() - min(starts)).total_seconds() if starts else None,
        n_rejected_files=sum(1 for _ in folder().glob(f"*{REJECTED}")),
    )


def _size(path: Path | os.DirEntry[str]) -> int:
    """Return the size; 0 for what a drain has deleted meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _first_time(path: Path) -> datetime | None:
    """Return when the first readable row of a file was made."""
    try:
        with path.open("rb") as file:
            rows = (unframed(line) for line in lines(file))
            return next((row["created_at"] for row in rows if row is not None), None)
    except FileNotFoundError:
        return None
