"""Measures engines as they will be served: full ranking, the same scores, the same top-k."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.splits import Split
from recommender_app.engines.base import Engine
from recommender_app.engines.batch import RequestBatch, batch_of_users
from recommender_app.engines.top_k import top_k
from recommender_app.evaluation.metrics import PerUser, accuracy, find_hits
from recommender_app.evaluation.truncation import most_recent
from recommender_app.evaluation.variety import (
    coverage,
    diversity,
    mean_over_lists,
    novelty,
    popularity_percentiles,
    self_information,
    unit_terms,
)
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
            "coverage@10", "diversity@10", "novelty@10", "popularity@10".
        per_user: {engine: {metric: (n_users,) float64}}, the same users in the same order for
            every engine, for paired comparisons; coverage is a property of all lists together
            and has no value per user.
        user_rows: (n_users,) int32, the measured users.
        protocol: one line that says how this was measured; numbers mean nothing without it.
        rows: {engine: (n_users, max k) int32 recommended item rows, padded with -1}.
        seconds: {engine: wall time of ranking all users}.
    """

    engines: dict[str, dict[str, float]]
    per_user: dict[str, dict[str, PerUser]]
    user_rows: NDArray[np.int32]
    protocol: str
    rows: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

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
    recent: int | None = None,
    among: NDArray[np.int32] | None = None,
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
        recent: let the engines know only so many of each user's newest pairs, 0 = none; what is
            hidden and who is measured stay the same.
        among: (m,) ascending rows of the only items that exist: others are neither ranked nor
            hits. None = all. The protocol of cold items.

    Raises:
        EngineError: an engine has another number of items than the dataset.
        ConfigurationError: ``ks`` or ``hide`` make no sense.
    """
    _check(engines, split, ks, hide)
    relevant = relevant_pairs(split, among)
    users = choose_users(split, relevant, min_history, max_users, seed)
    batch, relevant = batch_of_users(split.train, users), relevant[users]
    batch = batch if recent is None else most_recent(batch, recent)
    hidden = hidden_pairs(split.train, hide)[users]
    measure = _Measure(split.train, relevant, tuple(sorted(ks)), among)
    protocol = _describe(split, hide, len(users), min_history, recent, among)
    evaluation = Evaluation({}, {}, users, protocol)
    for name, engine in engines.items():
        started = perf_counter()
        rows = rank(engine, batch, max(ks), hidden, partial(_tell, progress, name), among)
        evaluation.seconds[name] = perf_counter() - started
        values = measure.per_user(rows)
        means = {metric: mean_of_known(of_users) for metric, of_users in values.items()}
        evaluation.rows[name], evaluation.per_user[name] = rows, values
        evaluation.engines[name] = means | measure.overall(rows)
    return evaluation


def relevant_pairs(split: Split, among: NDArray[np.int32] | None = None) -> sparse.csr_matrix:
    """Return the (n_users, n_items) float32 CSR of the pairs that count as hits, 1 each."""
    shape = (split.train.n_users, split.train.n_items)
    test = split.test if among is None else split.test.select(np.isin(split.test.item_rows, among))
    ones = np.ones(len(test), dtype=np.float32)
    pairs = sparse.csr_matrix((ones, (test.user_rows, test.item_rows)), shape=shape)
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
    among: NDArray[np.int32] | None = None,
) -> NDArray[np.int32]:
    """Return the k best item rows of each request, (b, k) int32 padded with -1, in bounded memory.

    Args:
        among: (m,) ascending rows of the only items that may be proposed; None = all.
    """
    rows = np.full((len(batch), k), -1, dtype=np.int32)
    step = max(1, SCORES_PER_CHUNK // max(engine.n_items, 1))
    for start in range(0, len(batch), step):
        stop = min(start + step, len(batch))
        requests, theirs = batch.rows(start, stop), hidden[start:stop]
        if among is None:
            rows[start:stop], _ = engine.candidates(requests, k, theirs)
        else:
            places, _ = top_k(engine.score(requests, among), k, theirs[:, among])
            rows[start:stop] = np.where(places >= 0, among[places], -1)
        progress(stop, len(batch))
    return rows


class _Measure:
    """Turns ranked rows into metrics of one set of users."""

    def __init__(
        self,
        train: Dataset,
        relevant: sparse.csr_matrix,
        ks: tuple[int, ...],
        among: NDArray[np.int32] | None = None,
    ) -> None:
        self.relevant, self.ks = relevant, ks
        self.n_items = train.n_items if among is None else len(among)
        self.n_relevant = relevant.getnnz(axis=1)
        self.item_terms = unit_terms(train.item_features)
        self.item_bits = self_information(train)
        self.percentiles = popularity_percentiles(train)

    def per_user(self, rows: NDArray[np.int32]) -> dict[str, PerUser]:
        hits = find_hits(rows, self.relevant)
        measured: dict[str, PerUser] = {}
        for k in self.ks:
            measured |= accuracy(hits, self.n_relevant, k)
            measured[f"diversity@{k}"] = diversity(rows[:, :k], self.item_terms)
            measured[f"novelty@{k}"] = novelty(rows[:, :k], self.item_bits)
            measured[f"popularity@{k}"] = mean_over_lists(rows[:, :k], self.percentiles)
        return measured

    def overall(self, rows: NDArray[np.int32]) -> dict[str, float]:
        return {f"coverage@{k}": coverage(rows[:, :k], self.n_items) for k in self.ks}


def mean_of_known(values: PerUser) -> float:
    """Return the mean without NaN; NaN for nothing known."""
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


def _describe(
    split: Split, hide: Hide, n_users: int, min_history: int, recent: int | None, among: NDArray[np.int32] | None
) -> str:
    hidden = hide if isinstance(hide, str) else "+".join(hide)
    ranked = "all items ranked" if among is None else f"{len(among)} items ranked"
    known = "" if recent is None else f"; engines know each user's newest {recent}"
    history = f"{n_users} users with history >= {min_history}"
    return f"{split.description}; {ranked}, hidden: {hidden}{known}; {history}"
