"""How alike items are, for diversity: by the content engine's features, else by declared categories."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.artifacts.opening import OpenedArtifact
from recommender_app.engines.catalog import engine_class
from recommender_app.serving.arranging.diversity import Similarities
from recommender_app.usecases.rules import NOTHING_KNOWN, Facts

CONTENT = "content_based"


def content_of(artifacts: Mapping[str, OpenedArtifact]) -> OpenedArtifact | None:
    """Return the loaded content engine of a release, if there is one."""
    artifact = artifacts.get(CONTENT)
    return artifact if artifact is not None and isinstance(artifact.engine, engine_class(CONTENT)) else None


def content_similarities(artifact: OpenedArtifact, ids: Sequence[Any]) -> Similarities:
    """Return the (n, n) cosines of the content engine's item rows, negative ones as 0.

    Factors and wording have equal parts. An item that the engine does not know, or of which it
    knows nothing, is like no other.
    """
    engine: Any = artifact.engine
    rows = artifact.items.rows(ids)
    known = np.flatnonzero((rows >= 0) & (rows < engine.n_items))
    vectors = sparse.csr_matrix(_unit_rows(engine.item_vectors[rows[known]]))
    wording = engine.item_wording[rows[known]]
    features = _unit_csr(sparse.hstack([vectors, _unit_csr(wording)], format="csr"))
    found = np.zeros((len(ids), len(ids)), dtype=np.float32)
    found[np.ix_(known, known)] = np.maximum((features @ features.T).toarray(), 0)
    return found


def category_similarities(attributes: Collection[str], facts: Sequence[Facts]) -> Similarities:
    """Return the (n, n) Jaccard similarities of the items' values: shared of all values of both."""
    terms = [sorted({(name, value) for name in attributes for value in each.of(name)}) for each in facts]
    columns = {term: column for column, term in enumerate(dict.fromkeys(term for each in terms for term in each))}
    indices = [columns[term] for each in terms for term in each]
    indptr = np.cumsum([0, *map(len, terms)])
    has = sparse.csr_matrix((np.ones(len(indices), np.float32), indices, indptr), shape=(len(facts), len(columns)))
    shared = (has @ has.T).toarray()
    sizes = shared.diagonal()
    either = sizes[:, None] + sizes[None, :] - shared
    similarities: Similarities = (shared / np.where(either > 0, either, 1)).astype(np.float32)
    return similarities


def similarities_of(
    ids: Sequence[Any], artifact: OpenedArtifact | None, attributes: Collection[str], facts: Mapping[Any, Facts]
) -> Similarities | None:
    """Return how alike items are; None where nothing is known that could tell."""
    if artifact is not None:
        return content_similarities(artifact, ids)
    if not attributes:
        return None
    return category_similarities(attributes, [facts.get(item_id, NOTHING_KNOWN) for item_id in ids])


def _unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _unit_csr(rows: sparse.csr_matrix) -> sparse.csr_matrix:
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return sparse.diags_array(1 / np.where(lengths > 0, lengths, 1)) @ rows
