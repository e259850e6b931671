"""PostgreSQL's binary COPY format as arrays, for rows whose every field has a fixed width.

The format (PostgreSQL manual, COPY, "Binary Format"): a header; per row the number of its fields
and, per field, its length and its value, big-endian; a trailer. With fixed widths a row is one
packed record, and numpy reads a block of them without looking at one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender_app.exceptions import DatasetError

UUID, BIGINT, SMALLINT, DOUBLE, TIMESTAMP = "V16", ">i8", ">i2", ">f8", ">i8"  # as PostgreSQL sends them
SIGNATURE = b"PGCOPY\n\xff\r\n\0"
HEADER_BYTES = 19  # signature, flags and the length of an extension that no version has
TRAILER = b"\xff\xff"
_COUNT = "number of fields"


def row_type(fields: Mapping[str, str]) -> np.dtype[Any]:
    """Return the packed record of a row: the number of fields, then length and value of each."""
    parts: list[tuple[str, str]] = [(_COUNT, ">i2")]
    for name, value in fields.items():
        parts += [(_length(name), ">i4"), (name, value)]
    return np.dtype(parts)


def read_blocks(messages: Iterable[Any], fields: Mapping[str, str], n_rows: int) -> Iterator[NDArray[Any]]:
    """Yield (about ``n_rows``,) records of ``row_type(fields)`` from the messages of a COPY.

    Raises:
        DatasetError: the stream is cut short or holds something of another width, a NULL for instance.
    """
    row, messages = row_type(fields), iter(messages)
    rest = _without_header(next(messages, b""))
    while parts := list(islice(messages, n_rows)):
        data = b"".join((rest, *parts))
        n = len(data) // row.itemsize
        rest = data[n * row.itemsize :]
        if n:
            yield _checked(np.frombuffer(data, row, count=n), fields)
    if len(rest) >= row.itemsize:  # header, all rows and trailer in one message
        yield _checked(np.frombuffer(rest, row, count=len(rest) // row.itemsize), fields)
        rest = rest[len(rest) // row.itemsize * row.itemsize :]
    if rest != TRAILER:
        raise DatasetError("PostgreSQL ended a COPY before its end: export again.")


def _without_header(message: Any) -> bytes:
    message = bytes(message)
    if not message.startswith(SIGNATURE):
        raise DatasetError("PostgreSQL did not answer in the binary format of COPY: is there a proxy between?")
    return message[HEADER_BYTES:]


def _checked(rows: NDArray[Any], fields: Mapping[str, str]) -> NDArray[Any]:
    is_whole = (rows[_COUNT] == len(fields)).all()
    for name, value in fields.items():
        is_whole = is_whole and (rows[_length(name)] == np.dtype(value).itemsize).all()
    if not is_whole:
        raise DatasetError("PostgreSQL sent a row of another shape than was asked for: export again.")
    return rows


def _length(name: str) -> str:
    return f"length of {name}"
