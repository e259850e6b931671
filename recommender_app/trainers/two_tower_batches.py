"""Training batches: users with all their positives, and the items to tell them from. numpy only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import gammaln

from recommender_app.dataset.dataset import Dataset
from recommender_app.engines.batch import batch_of_users
from recommender_app.engines.two_tower_inputs import FeatureEncoder, history_weights, unit_rows
from recommender_app.trainers.two_tower_config import TwoTowerConfig

Chosen = Mapping[str, NDArray[np.int64]]  # table -> its rows that a batch names; a table left out is used whole


LIKES_WORTH_CONTENT = 5  # with so many likes, an item's id and content weigh alike


@dataclass(frozen=True)
class TrainingData:
    """u users with at least one positive, one row each.

    Attributes:
        history: (u, n_items) CSR of pooling weights, see ``history_weights``.
        targets: (u, n_items) CSR of positive weights.
        content: (n_items, content width) CSR; the more likes an item has, the less its content weighs.
        profile: (u, profile width) CSR.
        seen_items: sorted int64 rows of the items with a positive; only they are told apart.
        log_inclusion: (n_items,) float32, log of the chance that an item is in a batch.
    """

    history: sparse.csr_matrix
    targets: sparse.csr_matrix
    content: sparse.csr_matrix
    profile: sparse.csr_matrix
    seen_items: NDArray[np.int64]
    log_inclusion: NDArray[np.float32]

    @property
    def likes_per_item(self) -> float:
        """Mean number of likes of the items that have any."""
        return float(self.targets.nnz / max(1, len(self.seen_items)))

    @property
    def n_users(self) -> int:
        """Number of users that teach."""
        return int(self.targets.shape[0])


@dataclass(frozen=True)
class TrainingBatch:
    """b users against s items; the columns of every matrix are places among the rows of ``chosen``.

    Attributes:
        chosen: sorted rows of the tables ``ids`` (the s items), ``history``, ``content``,
            ``alone`` (the same as content), ``profile``.
        history: (b, shown items) CSR of what is shown of the histories.
        history_content: (b, content rows) CSR, the same as content.
        profile: (b, profile rows) CSR.
        content: (s, content rows) CSR.
        shows_ids: False = every id embedding is hidden, and the batch teaches content alone.
        target_users, target_items: (t,) int64 places in the batch of its positives.
        target_weights: (t,) float32.
        log_inclusion: (s,) float32.
    """

    chosen: Chosen
    history: sparse.csr_matrix
    history_content: sparse.csr_matrix
    profile: sparse.csr_matrix
    content: sparse.csr_matrix
    shows_ids: bool
    target_users: NDArray[np.int64]
    target_items: NDArray[np.int64]
    target_weights: NDArray[np.float32]
    log_inclusion: NDArray[np.float32]


def prepare(dataset: Dataset, content: FeatureEncoder, profile: FeatureEncoder, config: TwoTowerConfig) -> TrainingData:
    """Return what the trainer learns from; dislikes are in neither histories nor targets."""
    positives = dataset.positives
    users = np.flatnonzero(np.diff(positives.indptr)).astype(np.int32)
    requests = batch_of_users(dataset, users)
    targets = positives[users]
    counts = np.asarray(targets.getnnz(axis=0))
    seen = np.flatnonzero(counts).astype(np.int64)
    return TrainingData(
        history=history_weights(requests, config.half_life_days or 0.0),
        targets=targets,
        content=_shrunk(content.encode(dataset.item_features), counts),
        profile=profile.encode(requests.profiles) if requests.profiles is not None else _nothing(len(users)),
        seen_items=seen,
        log_inclusion=_log_inclusion(counts, len(users), len(seen), config),
    )


def _shrunk(content: sparse.csr_matrix, counts: NDArray[np.int64]) -> sparse.csr_matrix:
    """Scale each row by k / (k + its likes): full weight for an item nobody has touched."""
    weights = LIKES_WORTH_CONTENT / (LIKES_WORTH_CONTENT + counts)
    shrunk = content.copy()
    shrunk.data = content.data * np.repeat(weights, np.diff(content.indptr)).astype(np.float32)
    return shrunk


def epoch_batches(data: TrainingData, config: TwoTowerConfig, rng: np.random.Generator) -> Iterator[TrainingBatch]:
    """Yield at least ``min_steps`` batches: whole passes over all users, shuffled anew each."""
    n_steps = 0
    while n_steps < config.min_steps:
        order = rng.permutation(data.n_users)
        for start in range(0, len(order), config.batch_users):
            yield _batch(data, order[start : start + config.batch_users], config, rng)
            n_steps += 1


def _batch(
    data: TrainingData, users: NDArray[np.int64], config: TwoTowerConfig, rng: np.random.Generator
) -> TrainingBatch:
    targets, profile = data.targets[users], data.profile[users]
    items = _items(data, targets, config, rng)
    history = _show(data.history[users], np.diff(profile.indptr) > 0, config, rng)
    content, history_content = data.content[items], history @ data.content
    target_items = np.searchsorted(items, targets.indices)
    is_described = (np.diff(content.indptr) > 0)[target_items]
    shows_ids = not is_described.any() or rng.random() >= config.id_dropout
    weights = targets.data if shows_ids else targets.data * is_described
    shown, (history,) = _compact(history)
    words, (content, history_content) = _compact(content, history_content)
    traits, (profile,) = _compact(profile)
    return TrainingBatch(
        chosen={"ids": items, "history": shown, "content": words, "alone": words, "profile": traits},
        history=history,
        history_content=history_content,
        profile=profile,
        content=content,
        shows_ids=shows_ids,
        target_users=np.repeat(np.arange(len(users)), np.diff(targets.indptr)),
        target_items=target_items,
        target_weights=weights,
        log_inclusion=data.log_inclusion[items],
    )


def _compact(*matrices: sparse.csr_matrix) -> tuple[NDArray[np.int64], list[sparse.csr_matrix]]:
    """Return the columns that occur in any of the matrices, and the matrices over these alone."""
    columns = np.unique(np.concatenate([matrix.indices for matrix in matrices])).astype(np.int64)
    compacted = []
    for matrix in matrices:
        places = np.searchsorted(columns, matrix.indices)
        shape = (matrix.shape[0], len(columns))
        compacted.append(sparse.csr_matrix((matrix.data, places, matrix.indptr), shape=shape))
    return columns, compacted


def _items(
    data: TrainingData, targets: sparse.csr_matrix, config: TwoTowerConfig, rng: np.random.Generator
) -> NDArray[np.int64]:
    if _is_full(len(data.seen_items), config):
        return data.seen_items
    n_sampled = min(config.sampled_items, len(data.seen_items))
    sampled = rng.choice(data.seen_items, n_sampled, replace=False, shuffle=False)
    return np.union1d(targets.indices, sampled).astype(np.int64)


def _show(
    history: sparse.csr_matrix, has_profile: NDArray[np.bool_], config: TwoTowerConfig, rng: np.random.Generator
) -> sparse.csr_matrix:
    """Hide a share of each history, and all of it for some users whose profile then must do."""
    is_cold = has_profile & (rng.random(history.shape[0]) < config.cold_user_share)
    is_shown = rng.random(history.nnz) >= config.history_dropout
    is_shown &= ~np.repeat(is_cold, np.diff(history.indptr))
    shown = history.copy()
    shown.data[~is_shown] = 0.0
    shown.eliminate_zeros()
    return unit_rows(shown)


def _log_inclusion(counts: NDArray[np.int64], n_users: int, n_seen: int, config: TwoTowerConfig) -> NDArray[np.float32]:
    """Log of the chance of an item, liked by ``counts`` users, to come with a batch's users or else to be drawn."""
    if _is_full(n_seen, config):
        return np.zeros(len(counts), dtype=np.float32)
    missed = np.exp(_log_missed(counts, n_users, min(config.batch_users, n_users)))
    drawn = min(1.0, config.sampled_items / n_seen)
    chance = 1.0 - missed * (1.0 - drawn)
    return np.log(np.maximum(chance, 1e-9)).astype(np.float32)


def _log_missed(counts: NDArray[np.int64], n_users: int, n_drawn: int) -> NDArray[np.float64]:
    """Log of the chance that none of ``counts`` users is among ``n_drawn`` of ``n_users``."""
    others = n_users - counts
    missed = gammaln(others + 1.0) + gammaln(n_users - n_drawn + 1.0) - gammaln(n_users + 1.0)
    missed -= gammaln(np.maximum(others - n_drawn, 0) + 1.0)
    return np.where(others >= n_drawn, missed, -np.inf)


def _is_full(n_seen: int, config: TwoTowerConfig) -> bool:
    return n_seen < config.full_softmax_below


def _nothing(n: int) -> sparse.csr_matrix:
    return sparse.csr_matrix((n, 0), dtype=np.float32)
