"""Interactions and features as Parquet files, readable with any tool. pyarrow is imported when used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from recommender_app.dataset.features import Features
from recommender_app.dataset.interactions import InteractionTable
from recommender_app.exceptions import DatasetError

NUMBER_PREFIX = "number:"


def write_interactions(path: Path, table: InteractionTable) -> None:
    """Write user_row and item_row (int32), event (text), weight (float32), time (UTC, microseconds)."""
    pa, parquet = _pyarrow()
    columns = {
        "user_row": pa.array(table.user_rows),
        "item_row": pa.array(table.item_rows),
        "event": pa.DictionaryArray.from_arrays(pa.array(table.events), pa.array(table.event_names, pa.string())),
        "weight": pa.array(table.weights),
        "time": pa.array(table.times).cast(pa.timestamp("us", tz="UTC")),
    }
    parquet.write_table(pa.table(columns), path)


def read_interactions(path: Path, event_names: tuple[str, ...]) -> InteractionTable:
    """Read what ``write_interactions`` wrote.

    Raises:
        DatasetError: an event is none of ``event_names``.
        KeyError, ValueError, OSError: the file is not what it should be.
    """
    pa, parquet = _pyarrow()
    table = parquet.read_table(path)
    codes = pa.compute.index_in(table["event"].cast(pa.string()), value_set=pa.array(event_names, pa.string()))
    if codes.null_count:
        raise DatasetError(f"{path} holds events that its manifest does not name: export the dataset again.")
    return InteractionTable(
        table["user_row"].to_numpy().astype(np.int32),
        table["item_row"].to_numpy().astype(np.int32),
        codes.to_numpy().astype(np.uint8),
        table["weight"].to_numpy().astype(np.float32),
        table["time"].cast(pa.int64()).to_numpy(),
        event_names,
    )


def write_features(path: Path, chunks: Iterable[Features]) -> Iterator[Features]:
    """Write chunks of features as they come; yields each chunk after it was written."""
    pa, parquet = _pyarrow()
    writer = None
    try:
        for chunk in chunks:
            table = _feature_table(pa, chunk)
            writer = writer or parquet.ParquetWriter(path, table.schema)
            writer.write_table(table)
            yield chunk
    finally:
        if writer is not None:
            writer.close()


def read_features(path: Path) -> Features:
    """Read all rows that ``write_features`` wrote."""
    _, parquet = _pyarrow()
    table = parquet.read_table(path)
    names = tuple(name for name in table.column_names if name.startswith(NUMBER_PREFIX))
    columns = [table[name].to_numpy().astype(np.float32) for name in names]
    return Features(
        table["text"].to_pylist(),
        [tuple(terms) for terms in table["terms"].to_pylist()],
        np.stack(columns, axis=1) if columns else np.empty((0, 0), dtype=np.float32),
        tuple(name.removeprefix(NUMBER_PREFIX) for name in names),
    )


def _feature_table(pa: Any, features: Features) -> Any:
    columns = {
        "text": pa.array(features.texts, pa.string()),
        "terms": pa.array([list(terms) for terms in features.terms], pa.list_(pa.string())),
    }
    for column, name in enumerate(features.number_names):
        columns[NUMBER_PREFIX + name] = pa.array(np.ascontiguousarray(features.numbers[:, column]))
    return pa.table(columns)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError:
        raise DatasetError("Datasets need pyarrow: pip install 'django-recommender-app[train]'.") from None
    return pa, pyarrow.parquet
