"""Words and category terms of items and users, in the space that both share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.features import Features
from recommender_app.engines.base import required_array
from recommender_app.engines.text import document_words, unique_terms
from recommender_app.engines.tfidf import TfIdf, side_by_side
from recommender_app.exceptions import EngineError

_MANY_ITEMS = 100
_COMMON = 3  # one item in so many


@dataclass(frozen=True)
class Wording:
    """The space that profiles and items share: words, then category terms; each part of length 1.

    Attributes:
        words: TF-IDF over words of texts and of category values.
        terms: idf of category terms ``field=value``.
    """

    words: TfIdf
    terms: TfIdf

    def __len__(self) -> int:
        return len(self.words) + len(self.terms)

    def encode(self, features: Features) -> sparse.csr_matrix:
        """Return (len(features), len(self)) float32 canonical CSR; a row that says nothing is empty."""
        documents = [document_words(text, terms) for text, terms in zip(features.texts, features.terms, strict=True)]
        words = self.words.transform(documents)
        terms = self.terms.transform([unique_terms(terms) for terms in features.terms])
        return side_by_side(words, terms)

    def labels(self, columns: NDArray[np.intp]) -> list[str]:
        """Return the word or the ``field=value`` of some columns."""
        is_word = columns < len(self.words)
        words = iter(self.words.words(columns[is_word]))
        terms = iter(self.terms.words(columns[~is_word] - len(self.words)))
        return [next(words) if flag else next(terms) for flag in is_word.tolist()]

    def are_common(self, columns: NDArray[np.intp], n_items: int) -> NDArray[np.bool_]:
        """Return which columns are words that say little: "and", "with", in more than a third of many items.

        Of a few items nothing can be said. Terms, which the host has chosen, always tell something.
        """
        is_word = columns < len(self.words)
        common = np.zeros(len(columns), dtype=bool)
        if n_items >= _MANY_ITEMS:
            common[is_word] = self.words.idf[columns[is_word]] < 1 + np.log(_COMMON)  # idf = 1 + ln(items / having it)
        return common

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that ``from_state`` needs."""
        return {**self.words.state("words"), **self.terms.state("terms")}

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from ``state``."""
        return cls(TfIdf.from_state(arrays, "words"), TfIdf.from_state(arrays, "terms"))


def stored_matrix(arrays: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, int]) -> sparse.csr_matrix:
    """Return the CSR matrix ``name`` of a state; raises EngineError where its arrays do not fit together."""
    data, indices, indptr = (required_array(arrays, f"{name}_{part}", 1) for part in ("data", "indices", "indptr"))
    fits = len(indptr) == shape[0] + 1 and len(data) == len(indices) == indptr[-1] and np.all(np.diff(indptr) >= 0)
    if not fits or np.any(indices < 0) or np.any(indices >= shape[1]):
        raise EngineError(f"The engine's arrays {name}_* do not fit together.")
    return sparse.csr_matrix((data, indices, indptr), shape=shape)


def matrix_state(matrix: sparse.csr_matrix, name: str) -> dict[str, NDArray[Any]]:
    """Return the arrays that ``stored_matrix`` reads."""
    indices, indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int64)
    return {f"{name}_data": matrix.data, f"{name}_indices": indices, f"{name}_indptr": indptr}
