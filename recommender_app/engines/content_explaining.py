"""What speaks for an item, in a content engine: liked items, and words of the profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.engines.batch import RequestBatch
from recommender_app.engines.content_features import unit_vectors
from recommender_app.engines.explanations import Evidence, from_history, from_terms, strongest

if TYPE_CHECKING:
    from recommender_app.engines.content import ContentEngine

_TINY = 1e-12


def explained(
    engine: ContentEngine, batch: RequestBatch, vectors: NDArray[np.float32], wording: sparse.csr_matrix, n: int
) -> list[list[Evidence]]:
    """Return up to n pieces of evidence for each of m items, for the first user of a batch.

    Args:
        vectors, wording: (m, f) and (m, w) of the items.
    """
    if not len(batch) or not len(vectors):
        return [[] for _ in range(len(vectors))]
    first = batch.rows(0, 1)
    liked = first.once(engine, RequestBatch.positive_history)
    profile = first.once(engine, engine.profiles)
    share = float(engine.users.history_share(np.array([liked.nnz]))[0])
    of_liked = share * _parts_of_liked(engine, liked, vectors, wording)
    of_words = wording[:, profile.indices].toarray().T * profile.data[:, np.newaxis]
    of_profile = (1 - share) * engine.wording_weight * of_words
    telling = np.flatnonzero(~engine.wording.are_common(profile.indices, engine.n_items))
    terms = engine.wording.labels(profile.indices[telling])
    return strongest(n, from_history(liked.indices, of_liked, n), from_terms(terms, of_profile[telling], n))


def _parts_of_liked(
    engine: ContentEngine, liked: sparse.csr_matrix, vectors: NDArray[np.float32], wording: sparse.csr_matrix
) -> NDArray[np.float32]:
    """(h, m) float32: what each of h liked items adds to the scores of m items, the profile left aside."""
    if not liked.nnz:
        return np.zeros((0, len(vectors)), dtype=np.float32)
    rows, weights = liked.indices, liked.data[:, np.newaxis]
    words = engine.item_wording[rows].multiply(weights).tocsr()
    length = float(np.linalg.norm((liked @ engine.item_wording).data))
    of_words = (words @ wording.T).toarray() * (engine.wording_weight / max(length, _TINY))
    of_factors = engine.users.parts(weights * unit_vectors(engine.item_vectors[rows])) @ vectors.T
    return (of_factors + of_words).astype(np.float32)
