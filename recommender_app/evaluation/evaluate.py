"""Measures engines as they will be served: full ranking, the same scores, the same top-k."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.splits import Split
from recommender_app.engines.base import Engine
from recommender_app.engines.batch import RequestBatch, batch_of_users
from recommender_app.evaluation.metrics import PerUser, accuracy, find_hits
from recommender_app.evaluation.variety import coverage, diversity, novelty, self_information, unit_terms
from recommender_app.exceptions import ConfigurationError, EngineError

Hide = Literal["seen", "nothing"] | tuple[str, ...]
Progress = Callable[[int, int, str], None]  # done, total, engine
SCORES_PER_CHUNK = 2**24  # float32 scores held at once: 64 MiB


@dataclass(frozen=True)
class Evaluation:
    """What was measured, by engine name.

    Attributes:
        engines: {engine: {metric: mean over the users, NaN where no user has a value}}; metrics
            are "precision@10", "recall@10", "ndcg@10", "map@10", "mrr@10", "hit_rate@10",
            "coverage@10", "diversity@10", "novelty@10".
        per_user: {engine: {metric: (n_users,) float64}}, the same users in the same order for
            every engine, for paired comparisons; coverage is a property of all lists together
            and has no value per user.
        user_rows: (n_users,) int32, the measured users.
        protocol: one line that says how this was measured; numbers mean nothing without it.
    """

    engines: dict[str, dict[str, float]]
    per_user: dict[str, dict[str, PerUser]]
    user_rows: NDArray[np.int32]
    protocol: str

    @property
    def n_users(self) -> int:
        """Number of measured users."""
        return len(self.user_rows)


def evaluate(
    engines: Mapping[str, Engine],
    split: Split,
    ks: Sequence[int] = (5, 10, 20),
    hide: Hide = "seen",
    max_users: int | None = None,
    seed: int = 0,
    min_history: int = 1,
    progress: Progress | None = None,
) -> Evaluation:
    """Rank the whole catalogue for every test user with every engine, and measure the lists.

    Args:
        engines: name -> engine trained on ``split.train``, in its item row space.
        ks: list lengths.
        hide: what is never recommended: "seen" = every pair of train, "nothing", or the names of
            the events that hide an item (like ``UseCase.hide_after``).
        max_users: measure a random sample of at most so many test users, drawn with ``seed``.
        min_history: test users with fewer positive pairs in train are left out. 1 keeps the users
            that engines which need a history can be compared on; 0 measures new users too.

    Raises:
        EngineError: an engine has another number of items than the dataset.
        ConfigurationError: ``ks`` or ``hide`` make no sense.
    """
    _check(engines, split, ks, hide)
    relevant = relevant_pairs(split)
    users = choose_users(split, relevant, min_history, max_users, seed)
    batch, relevant = batch_of_users(split.train, users), relevant[users]
    hidden = hidden_pairs(split.train, hide)[users]
    measure = _Measure(split.train, relevant, tuple(sorted(ks)))
    per_user, means = {}, {}
    for name, engine in engines.items():
        rows = rank(engine, batch, max(ks), hidden, partial(_tell, progress, name))
        per_user[name] = measure.per_user(rows)
        means[name] = {metric: _mean(values) for metric, values in per_user[name].items()} | measure.overall(rows)
    return Evaluation(means, per_user, users, _describe(split, hide, len(users), min_history))


def relevant_pairs(split: Split) -> sparse.csr_matrix:
    """Return the (n_users, n_items) float32 CSR of the pairs that count as hits, 1 each."""
    shape = (split.train.n_users, split.train.n_items)
    ones = np.ones(len(split.test), dtype=np.float32)
    pairs = sparse.csr_matrix((ones, (split.test.user_rows, split.test.item_rows)), shape=shape)
    pairs.sum_duplicates()
    pairs.data[:] = 1.0
    return pairs


def hidden_pairs(train: Dataset, hide: Hide) -> sparse.csr_matrix:
    """Return the (n_users, n_items) CSR of the pairs that must not be recommended."""
    shape = (train.n_users, train.n_items)
    table = train.interactions
    if hide == "nothing":
        return sparse.csr_matrix(shape, dtype=np.float32)
    if hide != "seen":
        table = table.select(table.has_event(tuple(hide)))
    ones = np.ones(len(table), dtype=np.float32)
    return sparse.csr_matrix((ones, (table.user_rows, table.item_rows)), shape=shape)


def choose_users(
    split: Split, relevant: sparse.csr_matrix, min_history: int, max_users: int | None, seed: int
) -> NDArray[np.int32]:
    """Return the ascending rows of the users to measure."""
    is_measured = (relevant.getnnz(axis=1) > 0) & (split.train.positives.getnnz(axis=1) >= min_history)
    users = np.flatnonzero(is_measured).astype(np.int32)
    if max_users is not None and len(users) > max_users:
        users = np.sort(np.random.default_rng(seed).choice(users, max_users, replace=False))
    return users


def rank(
    engine: Engine,
    batch: RequestBatch,
    k: int,
    hidden: sparse.csr_matrix,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> NDArray[np.int32]:
    """Return the k best item rows of each request, (b, k) int32 padded with -1, in bounded memory."""
    rows = np.full((len(batch), k), -1, dtype=np.int32)
    step = max(1, SCORES_PER_CHUNK // max(engine.n_items, 1))
    for start in range(0, len(batch), step):
        stop = min(start + step, len(batch))
        rows[start:stop], _ = engine.candidates(batch.rows(start, stop), k, hidden[start:stop])
        progress(stop, len(batch))
    return rows


class _Measure:
    """Turns ranked rows into metrics of one set of users."""

    def __init__(self, train: Dataset, relevant: sparse.csr_matrix, ks: tuple[int, ...]) -> None:
        self.relevant, self.ks, self.n_items = relevant, ks, train.n_items
        self.n_relevant = relevant.getnnz(axis=1)
        self.item_terms = unit_terms(train.item_features)
        self.item_bits = self_information(train)

    def per_user(self, rows: NDArray[np.int32]) -> dict[str, PerUser]:
        hits = find_hits(rows, self.relevant)
        measured: dict[str, PerUser] = {}
        for k in self.ks:
            measured |= accuracy(hits, self.n_relevant, k)
            measured[f"diversity@{k}"] = diversity(rows[:, :k], self.item_terms)
            measured[f"novelty@{k}"] = novelty(rows[:, :k], self.item_bits)
        return measured

    def overall(self, rows: NDArray[np.int32]) -> dict[str, float]:
        return {f"coverage@{k}": coverage(rows[:, :k], self.n_items) for k in self.ks}


def _mean(values: PerUser) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _tell(progress: Progress | None, name: str, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total, name)


def _check(engines: Mapping[str, Engine], split: Split, ks: Sequence[int], hide: Any) -> None:
    if not ks or min(ks) < 1:
        raise ConfigurationError(f"List lengths must be positive: {list(ks)}.")
    if isinstance(hide, str) and hide not in ("seen", "nothing"):
        raise ConfigurationError(f"hide={hide!r}: choose seen, nothing, or a tuple of event names.")
    for name, engine in engines.items():
        if engine.n_items != split.train.n_items:
            raise EngineError(
                f"The engine {name} knows {engine.n_items} items, the split has {split.train.n_items}: "
                "train it on the split's train part."
            )


def _describe(split: Split, hide: Hide, n_users: int, min_history: int) -> str:
    hidden = hide if isinstance(hide, str) else "+".join(hide)
    return f"{split.description}; all items ranked, hidden: {hidden}; {n_users} users with history >= {min_history}"
