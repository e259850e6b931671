"""Fits the weights of a fusion: candidates of all members, labels from a held-out part, coordinate ascent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.splits import Split
from recommender_app.engines.base import Engine
from recommender_app.engines.batch import RequestBatch, batch_of_users
from recommender_app.engines.fusion import Fusion, normalise
from recommender_app.engines.top_k import top_k
from recommender_app.evaluation.evaluate import choose_users, hidden_pairs, relevant_pairs
from recommender_app.exceptions import NotEnoughData
from recommender_app.trainers.base import Progress

CANDIDATES_PER_MEMBER = 200
_USERS_PER_CHUNK = 128
_STEPS = (0.0, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0)
_FRESH_STEPS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
_ROUNDS = 8


class FusionOptions(Protocol):
    """What the fit needs to know of the ensemble's options."""

    @property
    def fusion(self) -> Fusion:
        """How scores are made comparable."""

    @property
    def depth(self) -> int:
        """See ``fusion.normalise``."""

    @property
    def max_users(self) -> int:
        """Users to fit on, at most."""


@dataclass(frozen=True)
class Contributions:
    """Normalised scores of candidate items of u users, padded to c candidates.

    Attributes:
        keys: the m members.
        values: (u, c, m) float32; padding is 0 everywhere.
        is_hit: (u, c) bool, the candidate is in the held-out part.
        is_padding: (u, c) bool.
        n_relevant: (u,) int, held-out items of the user.
    """

    keys: tuple[str, ...]
    values: NDArray[np.float32]
    is_hit: NDArray[np.bool_]
    is_padding: NDArray[np.bool_]
    n_relevant: NDArray[np.intp]


def collect_contributions(
    members: Mapping[str, Engine], split: Split, options: FusionOptions, seed: int, progress: Progress
) -> Contributions:
    """Score the held-out users with every member; keep the union of the members' best items.

    Raises:
        NotEnoughData: no user has both a history and a held-out item.
    """
    relevant = relevant_pairs(split)
    users = choose_users(split, relevant, 1, options.max_users, seed)
    if not len(users):
        raise NotEnoughData("nobody has both a history and a held-out interaction.")
    hidden = hidden_pairs(split.train, "seen")
    chunks = []
    for start in range(0, len(users), _USERS_PER_CHUNK):
        progress(start, len(users), "scoring for the weights")
        rows = users[start : start + _USERS_PER_CHUNK]
        batch = batch_of_users(split.train, rows)
        chunks.append(_chunk(members, batch, hidden[rows], relevant[rows], options))
    progress(len(users), len(users), "scoring for the weights")
    return _joined(tuple(members), chunks, np.asarray(relevant[users].getnnz(axis=1)))


def fit_weights(contributions: Contributions, k: int) -> dict[str, float]:
    """Return {member: weight}, summing to 1, that maximise mean NDCG@k over the users.

    Coordinate ascent from equal weights and from the best single member; deterministic.
    """
    m = len(contributions.keys)
    starts = [*np.eye(m), np.full(m, 1.0 / m)]
    best_single = max(starts[:m], key=lambda weights: ndcg(contributions, weights, k))
    climbed = [_climb(contributions, start, k) for start in (starts[-1], best_single)]
    _, weights = max(climbed, key=lambda result: result[0])
    weights = weights / weights.sum()
    return {key: round(float(weight), 4) for key, weight in zip(contributions.keys, weights, strict=True)}


def ndcg(contributions: Contributions, weights: NDArray[np.float64], k: int) -> float:
    """Return mean NDCG@k of the fused ranking, ideal over min(relevant, k)."""
    fused = contributions.values @ weights.astype(np.float32)
    fused[contributions.is_padding] = -np.inf
    k = min(k, fused.shape[1])
    best = np.argpartition(-fused, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(fused, best, axis=1), axis=1, kind="stable")
    hits = np.take_along_axis(contributions.is_hit, np.take_along_axis(best, order, axis=1), axis=1)
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[np.minimum(contributions.n_relevant, k) - 1]
    return float((hits @ discounts / ideal).mean())


def _climb(contributions: Contributions, weights: NDArray[np.float64], k: int) -> tuple[float, NDArray[np.float64]]:
    weights, value = weights.copy(), ndcg(contributions, weights, k)
    for _ in range(_ROUNDS):
        before = value
        for member in range(len(weights)):
            for step in _STEPS if weights[member] > 0 else _FRESH_STEPS:
                tried = weights.copy()
                tried[member] = weights[member] * step if weights[member] > 0 else step * weights.max()
                if tried.sum() <= 0:
                    continue
                score = ndcg(contributions, tried, k)
                if score > value:
                    value, weights = score, tried
        if value - before < 1e-5 * max(value, 1e-9):
            break
    return value, weights


def _chunk(
    members: Mapping[str, Engine], batch: RequestBatch, hidden: object, relevant: object, options: FusionOptions
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    contributed, proposed = [], []
    for engine in members.values():
        scores = engine.score(batch)
        proposed.append(top_k(scores, CANDIDATES_PER_MEMBER, hidden)[0])  # type: ignore[arg-type]
        contributed.append(normalise(scores, batch.history, options.fusion, options.depth))
    rows = _unions(np.concatenate(proposed, axis=1))
    is_padding = rows < 0
    safe = np.where(is_padding, 0, rows)
    values = np.stack([np.take_along_axis(each, safe, axis=1) for each in contributed], axis=2)
    values[is_padding] = 0
    is_hit = np.take_along_axis(np.asarray(relevant.todense() > 0), safe, axis=1) & ~is_padding  # type: ignore[attr-defined]
    return values, is_hit, is_padding


def _unions(rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """(b, c) sorted distinct rows of each user, padded with -1."""
    distinct = [np.unique(user[user >= 0]) for user in rows]
    width = max(1, *(len(user) for user in distinct))
    union = np.full((len(rows), width), -1, dtype=np.int32)
    for place, user in enumerate(distinct):
        union[place, : len(user)] = user
    return union


def _joined(
    keys: tuple[str, ...],
    chunks: list[tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]],
    n_relevant: NDArray[np.intp],
) -> Contributions:
    width = max(values.shape[1] for values, _, _ in chunks)

    def pad(array: NDArray, fill: float) -> NDArray:
        missing = [(0, 0), (0, width - array.shape[1]), *[(0, 0)] * (array.ndim - 2)]
        return np.pad(array, missing, constant_values=fill)

    return Contributions(
        keys,
        np.concatenate([pad(values, 0) for values, _, _ in chunks]),
        np.concatenate([pad(is_hit, False) for _, is_hit, _ in chunks]),  # noqa: FBT003
        np.concatenate([pad(is_padding, True) for _, _, is_padding in chunks]),  # noqa: FBT003
        n_relevant,
    )
