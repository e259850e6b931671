"""Side information of items and users: which column is text, which a category, which a number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.features import Features
from recommender_app.dataset.ids import IdMap
from recommender_app.exceptions import ConfigurationError
from recommender_app.training.benchmark.columns import to_rows
from recommender_app.training.benchmark.csv_table import CsvTable, read_table

SEPARATOR = "|"  # several categories in one cell


def read_side_information(path: Path | None, id_column: str, ids: IdMap, chosen: Sequence[str] = ()) -> Features:
    """Return the features of the rows of ``ids``; of an id that occurs twice the last line counts.

    A column holds numbers if all its cells are numbers, categories if no cell has a space in it
    (several separated by "|"), and text otherwise.

    Args:
        path: the file; None = nothing is known.
        id_column: "item_id" or "user_id".
        chosen: columns to use; all but those whose names end in "id" if empty.

    Raises:
        DatasetError: the file cannot be read.
        ConfigurationError: a chosen column is not in it.
    """
    if path is None:
        return Features.empty(len(ids))
    table = read_table(path, [id_column])
    rows = to_rows(ids, table.columns[id_column])
    place_of = {int(row): place for place, row in enumerate(rows) if row >= 0}
    reading = _Reading(len(ids), place_of)
    for name in _names(table, chosen):
        reading.add(name, table.columns[name])
    return reading.features()


def has_content(features: Features) -> NDArray[np.bool_]:
    """Return an (n,) mask of the rows with any text or category."""
    found = [bool(text or terms) for text, terms in zip(features.texts, features.terms, strict=True)]
    return np.array(found, dtype=bool)


class _Reading:
    """Collects columns into features."""

    def __init__(self, n: int, place_of: dict[int, int]) -> None:
        self.place_of = place_of  # row -> line of the file
        self.texts: list[list[str]] = [[] for _ in range(n)]
        self.terms: list[list[str]] = [[] for _ in range(n)]
        self.numbers: dict[str, NDArray[np.float32]] = {}

    def add(self, name: str, values: list[str]) -> None:
        filled = {row: values[place].strip() for row, place in self.place_of.items() if values[place].strip()}
        if all(_is_number(value) for value in filled.values()):
            self.numbers[name] = np.full(len(self.texts), np.nan, dtype=np.float32)
            for row, value in filled.items():
                self.numbers[name][row] = float(value)
        elif any(" " in value for value in filled.values()):
            for row, value in filled.items():
                self.texts[row].append(value)
        else:
            for row, value in filled.items():
                self.terms[row] += [f"{name}={term}" for term in value.split(SEPARATOR) if term]

    def features(self) -> Features:
        columns = list(self.numbers.values())
        numbers = np.stack(columns, axis=1) if columns else np.empty((0, 0), dtype=np.float32)
        texts = ["\n".join(parts) for parts in self.texts]
        return Features(texts, [tuple(found) for found in self.terms], numbers, tuple(self.numbers))


def _names(table: CsvTable, chosen: Sequence[str]) -> list[str]:
    usable = [name for name in table.columns if not name.lower().endswith("id")]
    unknown = [name for name in chosen if name not in table.columns]
    if unknown:
        raise ConfigurationError(f"{table.path} has no column {unknown[0]!r}: choose from {', '.join(usable)}.")
    return list(chosen) or usable


def _is_number(value: str) -> bool:
    try:
        return bool(np.isfinite(float(value)))
    except ValueError:
        return False
