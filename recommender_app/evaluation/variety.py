"""What lists are made of, hits or not: coverage, diversity, novelty, popularity.

coverage@k   share of the catalogue that is in at least one user's top k.
diversity@k  mean of 1 - cosine over all pairs of the list, an item being the set of its category
             terms; items without terms are left out; NaN with fewer than two items left.
novelty@k    mean self-information of the list in bits: -log2(users who liked the item in train /
             users of train); an item that nobody liked counts as liked by one. NaN for an empty list.
popularity@k mean popularity percentile of the list: the share of the catalogue that fewer users of
             train liked, ties counted half. 0.5 = lists drawn at random; near 1 = best sellers
             only. The bias towards what is popular anyway. NaN for an empty list.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.features import Features

PerUser = NDArray[np.float64]


def coverage(rows: NDArray[np.int32], n_items: int) -> float:
    """Return the share of ``n_items`` that occurs in ``rows``, (b, k) padded with -1; NaN for no items."""
    return len(np.unique(rows[rows >= 0])) / n_items if n_items else float("nan")


def diversity(rows: NDArray[np.int32], item_terms: sparse.csr_matrix) -> PerUser:
    """Return (b,) intra-list diversity of the lists in ``rows``, (b, k) padded with -1.

    Args:
        item_terms: (n_items, n_terms) float64 CSR with rows of length 1 or empty: ``unit_terms``.
    """
    has_terms = np.diff(item_terms.indptr) > 0
    places = (rows >= 0) & has_terms[rows]
    n = places.sum(axis=1)
    lists = sparse.csr_matrix(
        (np.ones(n.sum()), rows[places], np.concatenate(([0], np.cumsum(n)))), shape=(len(rows), len(has_terms))
    )
    # The squared length of a sum of n unit vectors is n plus twice the sum of their cosines.
    squared = np.asarray((lists @ item_terms).power(2).sum(axis=1)).ravel()
    n_pairs = n * (n - 1) / 2
    return np.where(n_pairs > 0, 1 - (squared - n) / 2 / np.maximum(n_pairs, 1), np.nan)


def unit_terms(features: Features) -> sparse.csr_matrix:
    """Return (n_items, n_terms) float64 CSR: each item's set of terms as a vector of length 1."""
    sets = [sorted(set(terms)) for terms in features.terms]
    columns = {term: column for column, term in enumerate(sorted({term for terms in sets for term in terms}))}
    sizes = np.array([len(terms) for terms in sets], dtype=np.int64)
    indices = np.array([columns[term] for terms in sets for term in terms], dtype=np.int32)
    values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes)
    indptr = np.concatenate(([0], np.cumsum(sizes)))
    return sparse.csr_matrix((values, indices, indptr), shape=(len(sets), len(columns)))


def novelty(rows: NDArray[np.int32], item_bits: NDArray[np.float64]) -> PerUser:
    """Return (b,) mean bits of the lists in ``rows``, (b, k) padded with -1.

    Args:
        item_bits: (n_items,) from ``self_information``.
    """
    return mean_over_lists(rows, item_bits)


def mean_over_lists(rows: NDArray[np.int32], item_values: NDArray[np.float64]) -> PerUser:
    """Return (b,) means of a value of the items, over the lists in ``rows``, (b, k) padded with -1."""
    is_item = rows >= 0
    sums = np.where(is_item, item_values[rows], 0.0).sum(axis=1)
    n = is_item.sum(axis=1)
    return np.where(n > 0, sums / np.maximum(n, 1), np.nan)


def self_information(train: Dataset) -> NDArray[np.float64]:
    """Return (n_items,) bits: how surprising it is that a user of ``train`` likes the item."""
    liked_by = train.positives.getnnz(axis=0)
    n_users = max(int((train.positives.getnnz(axis=1) > 0).sum()), 1)
    return -np.log2(np.maximum(liked_by, 1) / n_users)


def popularity_percentiles(train: Dataset) -> NDArray[np.float64]:
    """Return (n_items,) in 0..1: the share of the catalogue liked by fewer users of ``train``, ties half."""
    liked_by = train.positives.getnnz(axis=0)
    ordered = np.sort(liked_by)
    fewer, not_more = (np.searchsorted(ordered, liked_by, side) for side in ("left", "right"))
    return np.asarray((fewer + not_more) / 2 / max(len(liked_by), 1))
