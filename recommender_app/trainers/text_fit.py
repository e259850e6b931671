"""Learns vocabularies and idf with scikit-learn, as plain arrays that serve without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from recommender_app.dataset.features import Features
from recommender_app.engines.text import document_words, unique_terms
from recommender_app.engines.tfidf import TfIdf
from recommender_app.engines.wording import Wording

MAX_WORDS = 50_000


class FittedWording(NamedTuple):
    """The wording and what it says of the training data: ``items`` (n_items, w), ``users`` (n_users, w) CSR."""

    wording: Wording
    items: sparse.csr_matrix
    users: sparse.csr_matrix


def fit_wording(items: Features, users: Features, max_words: int = MAX_WORDS) -> FittedWording:
    """Learn one space for items and users; at most ``max_words`` words and as many category terms.

    Beyond that the most frequent ones are kept. The matrices equal ``wording.encode`` of the same
    features within 1e-5.
    """
    texts = [*zip(items.texts, items.terms, strict=True), *zip(users.texts, users.terms, strict=True)]
    words, word_rows = fit_tfidf(texts, lambda row: document_words(*row), max_words)
    terms, term_rows = fit_tfidf([row_terms for _, row_terms in texts], unique_terms, max_words)
    rows = sparse.hstack([word_rows, term_rows], format="csr", dtype=np.float32)
    return FittedWording(Wording(words, terms), rows[: len(items)], rows[len(items) :])


def fit_tfidf(
    documents: Sequence[Any], words_of_document: Callable[[Any], list[str]], max_words: int
) -> tuple[TfIdf, sparse.csr_matrix]:
    """Return the learned transform and (len(documents), v) float32 canonical CSR; v = 0 where there is no word."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    tokenized = [words_of_document(document) for document in documents]
    if not any(tokenized):  # scikit-learn refuses an empty vocabulary
        return TfIdf.from_words([], np.empty(0, np.float32)), sparse.csr_matrix((len(documents), 0), dtype=np.float32)
    vectorizer = TfidfVectorizer(analyzer=_as_it_is, sublinear_tf=True, max_features=max_words, dtype=np.float32)
    rows = vectorizer.fit_transform(tokenized).tocsr()
    rows.sort_indices()
    return TfIdf.from_words(vectorizer.get_feature_names_out(), vectorizer.idf_.astype(np.float32)), rows


def _as_it_is(words: list[str]) -> list[str]:
    return words
