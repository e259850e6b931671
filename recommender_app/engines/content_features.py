"""Numbers of items and users, and the linear map from features to factors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.features import Features
from recommender_app.engines.base import required_array
from recommender_app.exceptions import EngineError

MAX_DEVIATIONS = 3.0


@dataclass(frozen=True)
class Standardizer:
    """Brings numbers to mean 0 and deviation 1, cut at 3 deviations.

    Attributes:
        names: (m,) bytes (dtype ``S``), in the order of the columns.
        means, scales: (m,) float32; scales > 0.
    """

    names: NDArray[np.bytes_]
    means: NDArray[np.float32]
    scales: NDArray[np.float32]

    @property
    def width(self) -> int:
        """Number of columns that ``encode`` returns."""
        return 2 * len(self.names)

    @classmethod
    def fit(cls, features: Features) -> Self:
        """Measure the numbers; those that are never known or never differ are left out."""
        names, means, scales = [], [], []
        for column, name in enumerate(features.number_names):
            numbers = features.numbers[:, column].astype(np.float64)
            numbers = numbers[np.isfinite(numbers)]
            if len(numbers) and numbers.std() > 0:
                names.append(name.encode("utf-8"))
                means.append(numbers.mean())
                scales.append(numbers.std())
        keys = np.array(names, dtype=np.bytes_) if names else np.empty(0, dtype="S1")
        return cls(keys, np.array(means, dtype=np.float32), np.array(scales, dtype=np.float32))

    def encode(self, features: Features) -> NDArray[np.float32]:
        """Return (len(features), 2 m) float32: each number and its square, less 1; 0 where unknown.

        The square lets a linear map prefer a middle value (an age, a price) to both ends.
        """
        encoded = np.zeros((len(features), self.width), dtype=np.float32)
        places = {name.encode("utf-8"): place for place, name in enumerate(features.number_names)}
        for column, name in enumerate(self.names.tolist()):
            if name not in places:
                continue
            numbers = features.numbers[:, places[name]]
            known = np.isfinite(numbers)
            standard = (numbers[known] - self.means[column]) / self.scales[column]
            standard = np.clip(standard, -MAX_DEVIATIONS, MAX_DEVIATIONS)
            encoded[known, 2 * column] = standard
            encoded[known, 2 * column + 1] = standard**2 - 1
        return encoded

    def state(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return the arrays under names that start with ``prefix``."""
        return {f"{prefix}_{name}": getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]], prefix: str) -> Self:
        """Rebuild from ``state``; raises EngineError where the arrays do not fit together."""
        parts = {name: required_array(arrays, f"{prefix}_{name}", 1) for name in cls.__dataclass_fields__}
        if len({len(part) for part in parts.values()}) != 1 or np.any(parts["scales"] <= 0):
            raise EngineError(f"The engine's arrays {prefix}_names, _means and _scales do not fit together.")
        return cls(**parts)


@dataclass(frozen=True)
class FeatureMap:
    """A linear map from wording and numbers to factors, learned by ridge regression.

    Attributes:
        columns: (c,) int32 increasing columns of the wording that the map has weights for.
        weights: (c + number columns, f) float32.
        intercept: (f,) float32: where nothing is known.
        numbers: the standardiser of this side's numbers.
    """

    columns: NDArray[np.int32]
    weights: NDArray[np.float32]
    intercept: NDArray[np.float32]
    numbers: Standardizer

    @classmethod
    def zeros(cls, numbers: Standardizer, n_factors: int) -> Self:
        """Return the map that says nothing."""
        weights = np.zeros((numbers.width, n_factors), dtype=np.float32)
        return cls(np.empty(0, dtype=np.int32), weights, np.zeros(n_factors, dtype=np.float32), numbers)

    def apply(self, wording: sparse.csr_matrix, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (n, f) float32 of (n, w) canonical wording and (n, 2 m) standardised numbers."""
        n_columns = len(self.columns)
        place = np.full(wording.shape[1], -1, dtype=np.int64)
        place[self.columns] = np.arange(n_columns)
        places = place[wording.indices]
        known = places >= 0
        indptr = np.concatenate(([0], np.cumsum(known)))[wording.indptr]
        shape = (wording.shape[0], n_columns)
        chosen = sparse.csr_matrix((wording.data[known], places[known], indptr), shape=shape)
        mapped = chosen @ self.weights[:n_columns] + numbers @ self.weights[n_columns:]
        return (mapped + self.intercept).astype(np.float32)

    def difference(self, wording: sparse.csr_matrix, before: sparse.csr_matrix) -> NDArray[np.float32]:
        """Return (n, f) float32: how far the factors move when (n, w) wording changes and the numbers stay."""
        nothing = np.zeros((wording.shape[0], self.numbers.width), dtype=np.float32)
        return self.apply(wording, nothing) - self.apply(before, nothing)

    def state(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return the arrays under names that start with ``prefix``."""
        parts = {"columns": self.columns, "weights": self.weights, "intercept": self.intercept}
        return {f"{prefix}_{name}": part for name, part in parts.items()} | self.numbers.state(f"{prefix}_number")

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]], prefix: str) -> Self:
        """Rebuild from ``state``; raises EngineError where the arrays do not fit together."""
        columns = required_array(arrays, f"{prefix}_columns", 1)
        weights = required_array(arrays, f"{prefix}_weights", 2)
        intercept = required_array(arrays, f"{prefix}_intercept", 1)
        numbers = Standardizer.from_state(arrays, f"{prefix}_number")
        if weights.shape != (len(columns) + numbers.width, len(intercept)):
            raise EngineError(f"The engine's array {prefix}_weights has shape {weights.shape}, which fits nothing.")
        return cls(columns, weights, intercept, numbers)


def unit_vectors(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows scaled to length 1, float32; 0 stays 0."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def encode_vectors(
    item_map: FeatureMap, wording: sparse.csr_matrix, numbers: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return (n, f) float32 item factors from encoded features; 0 for items of which nothing is known."""
    vectors = item_map.apply(wording, numbers)
    vectors[(wording.getnnz(axis=1) == 0) & ~np.any(numbers != 0, axis=1)] = 0.0
    return vectors
