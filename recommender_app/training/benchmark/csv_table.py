"""Gzipped CSV files as columns of strings."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from recommender_app.exceptions import DatasetError

MAX_CELL = 2**25  # characters; a description of a megabyte is no error


@dataclass(frozen=True)
class CsvTable:
    """A file's columns, in its order of rows.

    Attributes:
        path: where it was read.
        columns: {header name: n strings}.
    """

    path: Path
    columns: dict[str, list[str]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))


def read_table(path: Path, required: Sequence[str]) -> CsvTable:
    """Return the columns of a file whose first line names them.

    Raises:
        DatasetError: the file is missing, no gzip, no UTF-8, lacks a required column, or has a
            line with another number of cells; one line that names the file.
    """
    csv.field_size_limit(MAX_CELL)
    try:
        with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as lines:
            return CsvTable(path, _read(csv.reader(lines), path, required))
    except FileNotFoundError:
        raise DatasetError(f"There is no file {path}.") from None
    except gzip.BadGzipFile:
        raise DatasetError(f"{path} is not compressed with gzip: compress it, or correct its name.") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path} is not UTF-8 text.") from None
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise DatasetError(f"{path} cannot be read: {error}.") from error


def _read(lines: Iterator[list[str]], path: Path, required: Sequence[str]) -> dict[str, list[str]]:
    names = [name.strip() for name in next(lines, [])]
    missing = [name for name in required if name not in names]
    if missing:
        raise DatasetError(
            f"{path} has no column {', '.join(missing)}: its first line must name the columns, and it says "
            f"{','.join(names)[:200] or 'nothing'!r}."
        )
    if len(set(names)) < len(names):
        raise DatasetError(f"{path} names a column twice: {','.join(names)[:200]}.")
    rows = [row for row in lines if row]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise DatasetError(f"{path} has {len(row)} cells instead of {len(names)} in row {number}: {row[:3]}.")
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    return dict(zip(names, columns, strict=True))
