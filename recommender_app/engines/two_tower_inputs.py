"""What the two towers see of a history and of features: sparse rows, the same in training and in serving."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.features import Features
from recommender_app.engines.base import required_array
from recommender_app.engines.batch import RequestBatch
from recommender_app.exceptions import EngineError

MAX_TEXT_CHARACTERS = 20_000
MAX_TOKEN_CHARACTERS = 64
_MARKUP = re.compile(r"<[^<>]{0,500}>")
_WORD = re.compile(r"\w{2,}")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def tokens_of(text: str, terms: tuple[str, ...]) -> Counter[str]:
    """Count the words of a text and the category terms of one row.

    Words are lower-case runs of two or more letters or digits; runs in scripts that are written
    without spaces (Chinese, Japanese, Thai, ...) become character pairs. Markup is dropped and
    only the first 20,000 characters are read.
    """
    tokens: Counter[str] = Counter()
    for word in _WORD.findall(_MARKUP.sub(" ", text[:MAX_TEXT_CHARACTERS]).lower()):
        if _UNSPACED.search(word):
            tokens.update(word[i : i + 2] for i in range(len(word) - 1))
        else:
            tokens[word[:MAX_TOKEN_CHARACTERS]] += 1
    tokens.update(term[:MAX_TOKEN_CHARACTERS] for term in set(terms))
    return tokens


@dataclass(frozen=True)
class FeatureEncoder:
    """Turns features into sparse rows: t known tokens, then m known numbers.

    A row's tokens weigh (1 + log count) x idf, scaled to length 1; a number is standardised and
    cut at ±3, 0 where unknown. What was not known in training says nothing.

    Attributes:
        vocabulary: (t,) sorted strings.
        idf: (t,) float32.
        number_names: (m,) strings.
        number_means, number_scales: (m,) float32; scales > 0.
    """

    vocabulary: NDArray[np.str_]
    idf: NDArray[np.float32]
    number_names: NDArray[np.str_]
    number_means: NDArray[np.float32]
    number_scales: NDArray[np.float32]

    @property
    def width(self) -> int:
        """Number of columns, t + m."""
        return len(self.vocabulary) + len(self.number_names)

    def encode(self, features: Features) -> sparse.csr_matrix:
        """Return (len(features), width) float32 CSR; a row that says nothing is empty."""
        tokens = self._encode_tokens(features)
        numbers = sparse.csr_matrix(self._encode_numbers(features))
        return sparse.hstack([tokens, numbers], format="csr", dtype=np.float32)

    def _encode_tokens(self, features: Features) -> sparse.csr_matrix:
        counted = [tokens_of(text, terms) for text, terms in zip(features.texts, features.terms, strict=True)]
        owners = np.repeat(np.arange(len(counted)), [len(tokens) for tokens in counted])
        words = np.array([token for tokens in counted for token in tokens], dtype=np.str_)
        counts = np.array([count for tokens in counted for count in tokens.values()], dtype=np.float32)
        shape = (len(counted), len(self.vocabulary))
        if not len(words) or not len(self.vocabulary):
            return sparse.csr_matrix(shape, dtype=np.float32)
        columns = np.minimum(np.searchsorted(self.vocabulary, words), len(self.vocabulary) - 1)
        known = self.vocabulary[columns] == words
        columns, owners = columns[known], owners[known]
        weights = (1.0 + np.log(counts[known])) * self.idf[columns]
        return unit_rows(sparse.csr_matrix((weights, (owners, columns)), shape=shape))

    def _encode_numbers(self, features: Features) -> NDArray[np.float32]:
        encoded = np.zeros((len(features), len(self.number_names)), dtype=np.float32)
        places = {name: place for place, name in enumerate(features.number_names)}
        for column, name in enumerate(self.number_names.tolist()):
            if name in places:
                numbers = features.numbers[:, places[name]]
                standard = (numbers - self.number_means[column]) / self.number_scales[column]
                encoded[:, column] = np.clip(np.where(np.isfinite(standard), standard, 0.0), -3.0, 3.0)
        return encoded

    def state(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Return the arrays under names that start with ``prefix``."""
        return {f"{prefix}_{name}": getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_state(cls, arrays: Mapping[str, NDArray[Any]], prefix: str) -> Self:
        """Rebuild from ``state``; raises EngineError where the arrays do not fit together."""
        parts = {name: required_array(arrays, f"{prefix}_{name}", 1) for name in cls.__dataclass_fields__}
        encoder = cls(**parts)
        if len(encoder.idf) != len(encoder.vocabulary):
            raise EngineError(f"The engine's arrays {prefix}_vocabulary and {prefix}_idf differ in length.")
        if not len(encoder.number_names) == len(encoder.number_means) == len(encoder.number_scales):
            raise EngineError(f"The engine's arrays {prefix}_number_* differ in length.")
        return encoder


def unit_rows(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the rows scaled to Euclidean length 1; empty rows stay empty. Float32 CSR."""
    squares = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
    lengths = np.sqrt(np.where(squares > 0, squares, 1.0))
    scaled = matrix.astype(np.float32)
    scaled.data /= np.repeat(lengths, np.diff(matrix.indptr)).astype(np.float32)
    return scaled


def history_weights(batch: RequestBatch, half_life_days: float) -> sparse.csr_matrix:
    """Return (b, n_items) float32 CSR: how much each liked item counts in a user's pooled history.

    Event weight x 0.5 ^ (days before the user's newest like / half-life), each row scaled to
    Euclidean length 1: for equal weights that is the sum over n items divided by n^0.5.
    Dislikes count nothing.

    Args:
        half_life_days: 0 = old and new count alike.
    """
    history = batch.history
    weights = np.maximum(history.data, 0.0).astype(np.float32)
    if half_life_days > 0 and len(batch.ages_days) == len(weights):
        weights = weights * _recency(history, weights > 0, batch.ages_days, half_life_days)
    liked = sparse.csr_matrix((weights, history.indices, history.indptr), shape=history.shape, copy=True)
    liked.eliminate_zeros()
    return unit_rows(liked)


def _recency(
    history: sparse.csr_matrix, is_liked: NDArray[np.bool_], ages_days: NDArray[np.float32], half_life_days: float
) -> NDArray[np.float32]:
    """Count from the newest like: what matters is what is newer than what, not how long ago all of it was."""
    owners = np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))
    newest = np.full(history.shape[0], np.inf)
    np.minimum.at(newest, owners[is_liked], ages_days[is_liked])
    days = np.where(is_liked, ages_days - newest[owners], 0.0)
    return np.exp2(-days / half_life_days).astype(np.float32)
