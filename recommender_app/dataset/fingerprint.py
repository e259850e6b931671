"""One hash for the content of a dataset, whatever order it was read in."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.features import Features
from recommender_app.dataset.interactions import InteractionTable

_READ_BYTES = 1 << 20


class Fingerprint:
    """SHA-256 over named parts that are added in a fixed order; files and their formats do not enter."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, name: str, value: Any) -> None:
        """Add a JSON value; the order of a mapping's keys does not matter."""
        self._hash.update(json.dumps([name, value], sort_keys=True).encode("utf-8"))

    def add_array(self, name: str, array: NDArray[Any]) -> None:
        """Add an array: kind of number, shape and bytes (little-endian, so equal on every machine)."""
        array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        self.add(name, [array.dtype.str, list(array.shape)])
        self._hash.update(array.tobytes() if array.dtype.kind in "US" else array.data)

    def add_interactions(self, table: InteractionTable) -> None:
        """Add interactions that are already in canonical order (``ordering.canonical_order``)."""
        self.add("event_names", list(table.event_names))
        for name in ("user_rows", "item_rows", "events", "weights", "times"):
            self.add_array(name, getattr(table, name))

    def add_features(self, features: Features) -> None:
        """Add rows of features; the same rows in other chunks make the same hash."""
        numbers = features.numbers.tolist() if features.number_names else [[]] * len(features)
        for text, terms, row in zip(features.texts, features.terms, numbers, strict=True):
            self._hash.update(json.dumps([text, terms, row]).encode("utf-8"))

    def hexdigest(self) -> str:
        """Return 64 hexadecimal digits."""
        return self._hash.hexdigest()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()
