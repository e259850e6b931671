"""PostgreSQL's binary COPY format as arrays, for rows whose every field has a fixed width.

The format (PostgreSQL manual, COPY, "Binary Format"): a header; per row the number of its fields
and, per field, its length and its value, big-endian; a trailer. With fixed widths a row is one
packed record, and numpy reads a block of them without looking at one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
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
    first = _without_header(next(messages, b""))  # with the first row in it, or without
    messages, data = chain((first,) if first else (), messages), bytearray()
    while True:
        n_before = len(data)
        for message in islice(messages, n_rows):  # not a list: ten thousand small buffers are slow to hold
            data += message
        n = len(data) // row.itemsize
        if n:
            yield _checked(np.frombuffer(data, row, count=n), fields)
        data, is_last = data[n * row.itemsize :], len(data) == n_before
        if is_last:
            break
    if data != TRAILER:
        raise DatasetError("PostgreSQL ended a COPY before its end: export again.")


def _without_header(message: Any) -> bytearray:
    message = bytearray(message)
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
