"""Learns the vocabularies of the two towers."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.features import Features
from recommender_app.engines.two_tower_inputs import FeatureEncoder, tokens_of

MIN_ROWS = 2  # what only one row says cannot be generalised from


def fit_encoder(features: Features, max_tokens: int) -> FeatureEncoder:
    """Return an encoder of the most frequent words and terms, ties by alphabet, and of every number."""
    found: Counter[str] = Counter()
    for text, terms in zip(features.texts, features.terms, strict=True):
        found.update(tokens_of(text, terms).keys())
    frequent = sorted((-count, token) for token, count in found.items() if count >= MIN_ROWS)[:max_tokens]
    vocabulary = sorted(token for _, token in frequent)
    rows = np.array([found[token] for token in vocabulary], dtype=np.float64)
    idf = 1.0 + np.log((1.0 + len(features)) / (1.0 + rows))
    means, scales = _moments(features)
    names = np.array(features.number_names, dtype=np.str_) if features.number_names else np.empty(0, dtype="U1")
    words = np.array(vocabulary, dtype=np.str_) if vocabulary else np.empty(0, dtype="U1")
    return FeatureEncoder(words, idf.astype(np.float32), names, means, scales)


def _moments(features: Features) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation of each number over its known rows; 0 and 1 where there are none."""
    n = len(features.number_names)
    means, scales = np.zeros(n, dtype=np.float32), np.ones(n, dtype=np.float32)
    for column in range(n):
        numbers = features.numbers[:, column].astype(np.float64)
        known = numbers[np.isfinite(numbers)]
        if len(known):
            means[column] = known.mean()
            scales[column] = known.std() or 1.0
    return means, scales
