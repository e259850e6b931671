"""What every member says about the items that may be recommended, made comparable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

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


@dataclass(frozen=True)
class Recipe:
    """How scores are made comparable; see ``fusion.normalise``."""

    fusion: Fusion = "weighted"
    depth: int = 0


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
    members: Mapping[str, Engine],
    split: Split,
    recipes: Sequence[Recipe],
    max_users: int,
    seed: int,
    progress: Progress,
) -> dict[Recipe, Contributions]:
    """Score the held-out users with every member once; keep the union of the members' best items.

    Args:
        recipes: each gives contributions of its own, of the same users and candidates.
        max_users: a random sample of at most so many users.

    Raises:
        NotEnoughData: no user has both a history and a held-out item.
    """
    relevant = relevant_pairs(split)
    users = choose_users(split, relevant, 1, max_users, seed)
    if not len(users):
        raise NotEnoughData("nobody has both a history and a held-out interaction.")
    hidden = hidden_pairs(split.train, "seen")
    chunks = []
    for start in range(0, len(users), _USERS_PER_CHUNK):
        progress(start, len(users), "scoring for the weights")
        rows = users[start : start + _USERS_PER_CHUNK]
        batch = batch_of_users(split.train, rows)
        chunks.append(_chunk(members, batch, hidden[rows], relevant[rows], recipes))
    progress(len(users), len(users), "scoring for the weights")
    n_relevant = np.asarray(relevant[users].getnnz(axis=1))
    is_hit = _stacked([chunk.is_hit for chunk in chunks], fill=0)
    is_padding = _stacked([chunk.is_padding for chunk in chunks], fill=1)
    return {
        recipe: Contributions(
            tuple(members), _stacked([chunk.values[recipe] for chunk in chunks], fill=0), is_hit, is_padding, n_relevant
        )
        for recipe in recipes
    }


@dataclass(frozen=True)
class _Chunk:
    values: dict[Recipe, NDArray[np.float32]]
    is_hit: NDArray[np.bool_]
    is_padding: NDArray[np.bool_]


def _chunk(
    members: Mapping[str, Engine],
    batch: RequestBatch,
    hidden: sparse.csr_matrix,
    relevant: sparse.csr_matrix,
    recipes: Sequence[Recipe],
) -> _Chunk:
    scores = [engine.score(batch) for engine in members.values()]
    proposed = [top_k(each, CANDIDATES_PER_MEMBER, hidden)[0] for each in scores]
    rows = _unions(np.concatenate(proposed, axis=1))
    is_padding = rows < 0
    safe = np.where(is_padding, 0, rows)
    values = {}
    for recipe in recipes:
        worth = [normalise(each, batch.history, recipe.fusion, recipe.depth) for each in scores]
        values[recipe] = np.stack([np.take_along_axis(each, safe, axis=1) for each in worth], axis=2)
        values[recipe][is_padding] = 0
    is_hit = np.take_along_axis(relevant.toarray() > 0, safe, axis=1) & ~is_padding
    return _Chunk(values, is_hit, is_padding)


def _unions(rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """(b, c) sorted distinct rows of each user, padded with -1."""
    distinct = [np.unique(user[user >= 0]) for user in rows]
    width = max(1, *(len(user) for user in distinct))
    union = np.full((len(rows), width), -1, dtype=np.int32)
    for place, user in enumerate(distinct):
        union[place, : len(user)] = user
    return union


def _stacked(chunks: list[NDArray], fill: int) -> NDArray:
    """Return chunks of users below each other, all as wide as the widest."""
    width = max(chunk.shape[1] for chunk in chunks)
    missing = [[(0, 0), (0, width - chunk.shape[1]), *[(0, 0)] * (chunk.ndim - 2)] for chunk in chunks]
    return np.concatenate(
        [np.pad(chunk, pad, constant_values=fill) for chunk, pad in zip(chunks, missing, strict=True)]
    )
