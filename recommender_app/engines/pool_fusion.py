"""Fusion over a pool of the members' best items, for catalogues too large to fuse whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from recommender_app.engines.base import Engine, Rows, Scores
from recommender_app.engines.batch import RequestBatch
from recommender_app.engines.fusion import Fusion, fuse
from recommender_app.engines.index import MIN_ITEMS
from recommender_app.engines.top_k import top_k, top_k_in_place

POOL_MIN_ITEMS = MIN_ITEMS  # from so many items on, an ensemble fuses a pool
_LEAST = 1000
_PER_ASKED = 10


def pool_depth(k: int, depth: int) -> int:
    """Return how many fresh items each member puts into the pool of a list of k; ``depth`` as in ``normalise``."""
    return max(_LEAST, _PER_ASKED * k, depth)


def pooled_candidates(
    members: Sequence[tuple[float, Engine]],
    fusion: Fusion,
    depth: int,
    batch: RequestBatch,
    k: int,
    exclude: sparse.csr_matrix | None,
    n_proposed: int,
) -> tuple[Rows, Scores]:
    """Return the best (b, k) rows and fused scores: each member proposes, all of them score what is proposed.

    What counts as the lowest score and as the ranks is taken from the pool instead of the whole
    catalogue. The lists equal those of full fusion where ``n_proposed`` reaches the catalogue's
    size, or a ``depth`` above 0 (below it, an item counts for nothing anyway), but for ties there.

    Args:
        members: (weight > 0, engine), all of one row space.
        n_proposed: fresh items each member proposes, see ``pool_depth``.
    """
    rows = np.full((len(batch), k), -1, dtype=np.int32)
    scores = np.full((len(batch), k), np.nan, dtype=np.float32)
    for place in range(len(batch)):
        one = batch if len(batch) == 1 else batch.rows(place, place + 1)
        hidden = exclude if exclude is None or len(batch) == 1 else exclude[place]
        n_known = one.history.nnz + (0 if hidden is None else hidden.nnz)
        pool, columns = _pool(members, one, n_proposed + n_known)
        fused = fuse(
            zip((weight for weight, _ in members), columns, strict=True), _within(one.history, pool), fusion, depth
        )
        best, values = top_k_in_place(fused, k, None if hidden is None else _within(hidden, pool))
        rows[place] = np.where(best[0] >= 0, pool[best[0]] if len(pool) else -1, -1)
        scores[place] = values[0]
    return rows, scores


def _pool(members: Sequence[tuple[float, Engine]], one: RequestBatch, n: int) -> tuple[Rows, list[Scores]]:
    """Return the ascending rows that any member proposes, and every member's (1, len(rows)) scores of them."""
    proposed, dense = [], []
    for _, engine in members:
        scores = None if engine.has_index else engine.score(one)
        found, _ = engine.candidates(one, n) if scores is None else top_k(scores, n)
        proposed.append(found[found >= 0])
        dense.append(scores)
    pool: Rows = np.unique(np.concatenate(proposed)).astype(np.int32)
    columns = [
        engine.score(one, pool) if scores is None else scores[:, pool]
        for (_, engine), scores in zip(members, dense, strict=True)
    ]
    return pool, columns


def _within(matrix: sparse.csr_matrix, pool: Rows) -> sparse.csr_matrix:
    """Return the (1, len(pool)) CSR of a (1, n_items) one's entries in the pool."""
    places = np.searchsorted(pool, matrix.indices)
    is_inside = places < len(pool)
    is_inside[is_inside] = pool[places[is_inside]] == matrix.indices[is_inside]
    inside = np.sort(places[is_inside])
    return sparse.csr_matrix((np.ones(len(inside), dtype=np.float32), inside, [0, len(inside)]), shape=(1, len(pool)))
