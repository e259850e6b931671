"""A row as one line of text: a mark, the length and the checksum of what follows, and the row as JSON.

A line begins and ends with a line feed: one that was torn or mangled costs itself, never the next.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any
from uuid import UUID

MOST_BYTES = 1_000_000  # of a line; a row of 100 results has about 8,000
_LINE = re.compile(rb"r1 ([0-9a-f]{8}) ([0-9a-f]{8}) (.*)", re.DOTALL)  # r1 = the first form of a row


def framed(values: dict[str, Any]) -> bytes:
    """Return the line of a row.

    Args:
        values: by field name; UUIDs and times become text, everything else must be JSON.
    """
    payload = json.dumps(values, separators=(",", ":"), default=str).encode("ascii")
    return b"\nr1 %08x %08x %s\n" % (len(payload), zlib.crc32(payload), payload)


def unframed(line: bytes) -> dict[str, Any] | None:
    """Return the row of a line without its line feeds; None where it is not what was written."""
    matched = _LINE.fullmatch(line)
    if matched is None:
        return None
    length, checksum, payload = int(matched[1], 16), int(matched[2], 16), matched[3]
    if len(payload) != length or zlib.crc32(payload) != checksum:
        return None
    try:
        values = json.loads(payload)
        values["request_id"] = UUID(values["request_id"])
        values["created_at"] = datetime.fromisoformat(values["created_at"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # not written by this app
        return None
    return values


def lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file that are not empty; what has no line feed comes in pieces of MOST_BYTES."""
    while line := file.readline(MOST_BYTES):
        stripped = line.strip(b"\n")
        if stripped:
            yield stripped
