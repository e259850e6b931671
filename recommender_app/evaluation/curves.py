"""Numbers behind the plots: precision against recall over the list length, and the long tail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.splits import Split
from recommender_app.evaluation.evaluate import relevant_pairs
from recommender_app.evaluation.metrics import find_hits

N_BANDS = 10


class Curve(NamedTuple):
    """Means over the users at list lengths 1..k.

    Attributes:
        precision, recall: (k,) float64.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]


class LongTail(NamedTuple):
    """Shares by popularity band: tenths of the catalogue, the least popular first, equals by row.

    Attributes:
        interactions: (10,) float64, share of the positive interactions of train.
        engines: {engine: (10,) float64, share of its recommended places}.
        length: the list length that was looked at.
    """

    interactions: NDArray[np.float64]
    engines: dict[str, NDArray[np.float64]]
    length: int


def precision_recall(rows: NDArray[np.int32], split: Split, user_rows: NDArray[np.int32]) -> Curve:
    """Return the curve of (n_users, k) recommended rows, padded with -1, of these users."""
    relevant = relevant_pairs(split)[user_rows]
    found = np.cumsum(find_hits(rows, relevant), axis=1)
    lengths = np.arange(1, rows.shape[1] + 1)
    n_relevant = relevant.getnnz(axis=1)[:, np.newaxis]
    if not len(rows):
        nothing = np.full(rows.shape[1], np.nan)
        return Curve(nothing, nothing)
    return Curve((found / lengths).mean(axis=0), (found / np.maximum(n_relevant, 1)).mean(axis=0))


def long_tail(rows: Mapping[str, NDArray[np.int32]], train: Dataset, at: int) -> LongTail:
    """Return where in the catalogue the first ``at`` places of each engine's lists come from."""
    liked_by = train.positives.getnnz(axis=0)
    bands = np.empty(train.n_items, dtype=np.int64)
    bands[np.argsort(liked_by, kind="stable")] = np.arange(train.n_items) * N_BANDS // max(train.n_items, 1)
    engines = {}
    for name, lists in rows.items():
        top = lists[:, :at]
        engines[name] = _shares(np.bincount(bands[top[top >= 0]], minlength=N_BANDS))
    return LongTail(_shares(np.bincount(bands, weights=liked_by, minlength=N_BANDS)), engines, at)


def _shares(counts: NDArray[np.int64] | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(counts / max(counts.sum(), 1), dtype=np.float64)
