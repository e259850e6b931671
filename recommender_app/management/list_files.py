"""Files of lists: one row per user and place, as Parquet, CSV or JSON lines; whole or not there at all."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol
from uuid import uuid4

from django.db.models import Field, IntegerField, Model

from recommender_app.exceptions import ConfigurationError
from recommender_app.serving.answer import Answer
from recommender_app.usecases.declaration import UseCase

COLUMNS = ("user", "rank", "item", "score", "source", "release")
FORMATS = ("parquet", "csv", "jsonl")
FILE_MODE = 0o640  # who is recommended what is the owner's and the group's business only
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run

Row = tuple[Any, ...]


class Writer(Protocol):
    """Takes rows of COLUMNS."""

    def write(self, rows: list[Row]) -> None:
        """Append rows."""

    def close(self) -> None:
        """Finish the file."""


def format_of(path: Path, asked: str | None) -> str:
    """Return the asked format, or the one that the file's name says.

    Raises:
        ConfigurationError: neither says one of FORMATS.
    """
    name = asked or path.suffix.removeprefix(".")
    if name not in FORMATS:
        raise ConfigurationError(f"{path.name} does not say its format: name it with --format {'|'.join(FORMATS)}.")
    return name


@contextmanager
def list_file(path: Path, kind: str, use_case: UseCase) -> Iterator[Writer]:
    """Yield a writer of a file that takes its place only when the block ends well.

    Raises:
        ConfigurationError: the folder cannot be written, or Parquet is asked for without pyarrow.
    """
    arrow = _pyarrow() if kind == "parquet" else None
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            part.chmod(FILE_MODE)
            writer = ParquetWriter(file, use_case, arrow) if arrow else TextWriter(file, kind)
            yield writer
            writer.close()
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise ConfigurationError(f"Cannot write {path}: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)


def rows_of(user: Any, answer: Answer) -> list[Row]:
    """Return the rows of one user's list."""
    return [(user.pk, place.rank, place.id, place.score, place.source, answer.release) for place in answer.results]


class TextWriter:
    """CSV with a head line, or one JSON object per line."""

    def __init__(self, file: Any, kind: str) -> None:
        self.file, self.kind = file, kind
        if kind == "csv":
            self._write_csv([COLUMNS])

    def write(self, rows: list[Row]) -> None:
        """Append rows; keys that are not numbers are text."""
        if self.kind == "csv":
            self._write_csv([tuple(_spreadsheet_safe(_plain(value)) for value in row) for row in rows])
            return
        for row in rows:
            named = dict(zip(COLUMNS, map(_plain, row), strict=True))
            self.file.write(json.dumps(named, ensure_ascii=False).encode() + b"\n")

    def close(self) -> None:
        """Nothing is left to write."""

    def _write_csv(self, rows: list[Row]) -> None:
        csv.writer(_Encoded(self.file), lineterminator="\n").writerows(rows)


class ParquetWriter:
    """One row group per call of ``write``; keys are int64 where the host's are integers, else text."""

    def __init__(self, file: Any, use_case: UseCase, arrow: ModuleType) -> None:
        kinds = [_arrow_kind(use_case.users, arrow), arrow.int32(), _arrow_kind(use_case.items, arrow)]
        kinds += [arrow.float32(), arrow.string(), arrow.int32()]
        self.arrow = arrow
        self.schema = arrow.schema(list(zip(COLUMNS, kinds, strict=True)))
        self.writer = arrow.parquet.ParquetWriter(file, self.schema)

    def write(self, rows: list[Row]) -> None:
        """Append rows."""
        columns = zip(*rows, strict=True) if rows else [()] * len(COLUMNS)
        plain = [[_plain(value) for value in column] for column in columns]
        arrays = [self.arrow.array(values, field.type) for values, field in zip(plain, self.schema, strict=True)]
        self.writer.write_table(self.arrow.Table.from_arrays(arrays, schema=self.schema))

    def close(self) -> None:
        """Write the foot of the file."""
        self.writer.close()


class _Encoded:
    """What ``csv`` writes to: text into a file of bytes."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def write(self, text: str) -> None:
        self.file.write(text.encode())


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | str) else str(value)


def _spreadsheet_safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def _arrow_kind(model: type[Model], arrow: ModuleType) -> Any:
    key: Field[Any, Any] = model._meta.pk
    while key.remote_field:  # a key that is another model's
        key = key.target_field  # type: ignore[attr-defined]
    return arrow.int64() if isinstance(key, IntegerField) else arrow.string()


def _pyarrow() -> ModuleType:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ConfigurationError(
            "Parquet needs pyarrow: pip install 'django-recommender-app[train]', or write --format csv or jsonl."
        ) from error
    return pyarrow
