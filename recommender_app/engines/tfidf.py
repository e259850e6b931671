"""TF-IDF without scikit-learn: a sorted vocabulary, searched by bisection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.engines.base import required_array
from recommender_app.exceptions import EngineError

_CHUNK = 1_000  # documents at a time: bounds the memory of their words as fixed-width bytes


@dataclass(frozen=True)
class TfIdf:
    """Weighs words: (1 + ln count) x idf, each document scaled to length 1.

    The same numbers as scikit-learn's ``TfidfVectorizer(sublinear_tf=True)``.

    Attributes:
        vocabulary: (v,) strictly increasing UTF-8 bytes (dtype ``S``). May be memory-mapped.
        idf: (v,) float32, > 0.
    """

    vocabulary: NDArray[np.bytes_]
    idf: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.vocabulary)

    @classmethod
    def from_words(cls, words: Iterable[str], idf: NDArray[np.float32]) -> Self:
        """Build from words in sorted order and their idf."""
        encoded = [_encode(word) for word in words]
        return cls(np.array(encoded, dtype=np.bytes_) if encoded else np.empty(0, dtype="S1"), idf)

    def transform(self, documents: Sequence[Sequence[str]]) -> sparse.csr_matrix:
        """Return (len(documents), v) float32 canonical CSR; unknown words say nothing."""
        parts = [self._transform(documents[start : start + _CHUNK]) for start in range(0, len(documents), _CHUNK)]
        if len(parts) == 1:
            return parts[0]
        return sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, len(self)), dtype=np.float32)

    def _transform(self, documents: Sequence[Sequence[str]]) -> sparse.csr_matrix:
        counted = [Counter(words) for words in documents]
        owners = np.repeat(np.arange(len(counted)), [len(counts) for counts in counted])
        columns = self.columns_of([word for counts in counted for word in counts])
        counts = np.array([count for counts in counted for count in counts.values()], dtype=np.float64)
        known = columns >= 0
        owners, columns = owners[known], columns[known]
        weights = (1.0 + np.log(counts[known])) * self.idf[columns]
        order = np.lexsort((columns, owners))
        indptr = np.concatenate(([0], np.cumsum(np.bincount(owners, minlength=len(counted)))))
        shape = (len(counted), len(self))
        return unit_rows(sparse.csr_matrix((weights[order], columns[order], indptr), shape=shape))

    def columns_of(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Return the (len(words),) column of each word, -1 where unknown."""
        columns = np.full(len(words), -1, dtype=np.int64)
        width = self.vocabulary.dtype.itemsize
        encoded = [(place, key) for place, key in enumerate(map(_encode, words)) if len(key) <= width]
        if not encoded or not len(self):
            return columns
        places, keys = zip(*encoded, strict=True)
        # One width: else numpy would copy the whole vocabulary to the wider one.
        wanted = np.array(keys, dtype=self.vocabulary.dtype)
        found = np.minimum(np.searchsorted(self.vocabulary, wanted), len(self) - 1)
        columns[list(places)] = np.where(self.vocabulary[found] == wanted, found, -1)
        return columns

    def words(self, columns: NDArray[np.intp]) -> list[str]:
        """Return the words of some columns."""
        return [key.decode("utf-8") for key in self.vocabulary[columns].tolist()]

    def state(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return the arrays under names that start with ``prefix``."""
        return {f"{prefix}_vocabulary": self.vocabulary, f"{prefix}_idf": self.idf}

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]], prefix: str) -> Self:
        """Rebuild from ``state``; raises EngineError where the arrays do not fit."""
        vocabulary = required_array(arrays, f"{prefix}_vocabulary", 1)
        idf = required_array(arrays, f"{prefix}_idf", 1)
        if len(vocabulary) != len(idf) or vocabulary.dtype.kind != "S":
            raise EngineError(f"The engine's arrays {prefix}_vocabulary and {prefix}_idf do not fit together.")
        return cls(vocabulary, idf)


def unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the rows scaled to Euclidean length 1, float32 canonical CSR; empty rows stay empty."""
    matrix = matrix.tocsr()
    matrix.sum_duplicates()
    sizes = np.diff(matrix.indptr)
    owners = np.repeat(np.arange(matrix.shape[0]), sizes)
    squares = np.bincount(owners, weights=matrix.data.astype(np.float64) ** 2, minlength=matrix.shape[0])
    lengths = np.sqrt(np.where(squares > 0, squares, 1.0))
    scaled = (matrix.data / np.repeat(lengths, sizes)).astype(np.float32)
    return sparse.csr_matrix((scaled, matrix.indices, matrix.indptr), shape=matrix.shape)


def side_by_side(left: sparse.csr_matrix, right: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return (n, v + w) float32 canonical CSR of two canonical ones: ``sparse.hstack`` in a tenth of its time."""
    rows = np.arange(left.shape[0])
    owners = np.concatenate((np.repeat(rows, np.diff(left.indptr)), np.repeat(rows, np.diff(right.indptr))))
    order = np.argsort(owners, kind="stable")
    data = np.concatenate((left.data, right.data))[order].astype(np.float32, copy=False)
    columns = np.concatenate((left.indices, right.indices + left.shape[1]))[order]
    shape = (left.shape[0], left.shape[1] + right.shape[1])
    return sparse.csr_matrix((data, columns, left.indptr + right.indptr), shape=shape)


def _encode(word: str) -> bytes:
    return word.encode("utf-8", "replace")
