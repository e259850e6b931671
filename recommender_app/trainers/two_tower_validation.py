"""A validation part carved inside the training data, and the one number that early stopping watches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.dataset import Dataset
from recommender_app.engines.base import Engine
from recommender_app.engines.batch import RequestBatch, batch_of_users

MIN_POSITIVES = 3  # a user with fewer keeps them all
CUT = 20


@dataclass(frozen=True)
class Validation:
    """Requests of v users and what was held out from them.

    Attributes:
        requests: their histories without the held-out items.
        known: (v, n_items) CSR of items that may not be recommended.
        held_out: (v, n_items) CSR; stored entries are hits.
    """

    requests: RequestBatch
    known: sparse.csr_matrix
    held_out: sparse.csr_matrix


def carve(
    dataset: Dataset, fraction: float, max_users: int, rng: np.random.Generator
) -> tuple[Dataset, Validation | None]:
    """Hold out a share of the positives of at most ``max_users`` users.

    Returns:
        the dataset without them, and the validation part; the whole dataset and None where no
        user has three positives or the fraction is 0.
    """
    positives = dataset.positives
    able = np.flatnonzero(np.diff(positives.indptr) >= MIN_POSITIVES)
    if fraction <= 0 or max_users < 1 or not len(able):
        return dataset, None
    users = np.sort(rng.choice(able, min(max_users, len(able)), replace=False)).astype(np.int32)
    held_out = _hold_out(positives, users, fraction, rng)
    table = dataset.interactions
    pairs = table.user_rows.astype(np.int64) * dataset.n_items + table.item_rows
    owners = np.repeat(users.astype(np.int64), np.diff(held_out.indptr))
    is_held_out = np.isin(pairs, owners * dataset.n_items + held_out.indices)
    rest = dataset.with_interactions(table.select(~is_held_out))
    requests = batch_of_users(rest, users)
    return rest, Validation(requests, requests.history, held_out)


def ndcg(engine: Engine, validation: Validation, chunk: int = 500) -> float:
    """Return the mean ndcg@20 of the validation users."""
    gains = []
    for start in range(0, len(validation.requests), chunk):
        stop = start + chunk
        rows, _ = engine.candidates(validation.requests.rows(start, stop), CUT, validation.known[start:stop])
        gains.append(_ndcg_of(rows, validation.held_out[start:stop]))
    return float(np.concatenate(gains).mean())


def _ndcg_of(rows: NDArray[np.int32], held_out: sparse.csr_matrix) -> NDArray[np.float64]:
    discounts = 1.0 / np.log2(np.arange(2, CUT + 2))
    ideal = np.concatenate(([0.0], np.cumsum(discounts)))[np.minimum(np.diff(held_out.indptr), CUT)]
    gained = np.zeros(len(rows))
    for place, found in enumerate(rows):
        hits = np.isin(found, held_out.indices[held_out.indptr[place] : held_out.indptr[place + 1]])
        gained[place] = discounts[hits].sum()
    return gained / ideal


def _hold_out(
    positives: sparse.csr_matrix, users: NDArray[np.int32], fraction: float, rng: np.random.Generator
) -> sparse.csr_matrix:
    theirs = positives[users]
    chosen = np.zeros(theirs.nnz, dtype=bool)
    for first, last in zip(theirs.indptr[:-1], theirs.indptr[1:], strict=True):
        n_held_out = max(1, round(fraction * (last - first)))
        chosen[first + rng.choice(last - first, n_held_out, replace=False)] = True
    held_out = theirs.copy()
    held_out.data = chosen.astype(np.float32)
    held_out.eliminate_zeros()
    return held_out
