"""A batch of requests, as engines see it: no ids, only rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender_app.dataset.dataset import Dataset, latest_time
from recommender_app.dataset.features import Features
from recommender_app.dataset.interactions import MICROSECONDS_PER_DAY

T = TypeVar("T")


@dataclass(frozen=True)
class RequestBatch:
    """b requests; a single request is a batch of one.

    Attributes:
        user_rows: (b,) int32 rows of the dataset the engine was trained on, -1 = unknown. The
            engines shipped here describe a user by history and profile and need no row.
        history: (b, n_items) canonical float32 CSR over the *engine's* item rows, one signed
            weight per pair, negative = disliked. Items the engine does not know are left out.
        ages_days: (nnz,) float32 beside ``history.data``: age of the pair's last interaction.
        profiles: b users' features, or None where the host declares none.
        found: what engines have found out about these users, see ``once``.
    """

    user_rows: NDArray[np.int32]
    history: sparse.csr_matrix
    ages_days: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    profiles: Features | None = None
    found: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.user_rows)

    @property
    def n_items(self) -> int:
        """Size of the item row space that ``history`` is written in."""
        return int(self.history.shape[1])

    @property
    def is_negative(self) -> NDArray[np.bool_]:
        """(nnz,) mask beside ``history.data``: the pair is a dislike."""
        return self.history.data < 0

    @property
    def known_profiles(self) -> Features:
        """``profiles``, empty ones where the host declares none."""
        return Features.empty(len(self)) if self.profiles is None else self.profiles

    def once(self, owner: object, compute: Callable[[Self], T]) -> T:
        """Return ``compute(self)``, made at the first call for this owner and function.

        An engine is asked several times for one request (to propose, to judge, to explain) and
        sees the same users each time.

        Args:
            compute: a function of a class or module; the result is shared and never to be changed.
        """
        key = (id(owner), compute.__qualname__)
        if key not in self.found:
            self.found[key] = owner, compute(self)  # the owner is kept so that its id stays its own
        value: T = self.found[key][1]
        return value

    def positive_history(self) -> sparse.csr_matrix:
        """Return ``history`` without dislikes, same shape, all entries > 0."""
        liked = self.history.copy()
        liked.data = np.maximum(liked.data, 0.0)
        liked.eliminate_zeros()
        return liked

    def rows(self, start: int, stop: int) -> Self:
        """Return the requests start..stop-1 as a batch of their own; all of them are this one."""
        if start == 0 and stop >= len(self):
            return self
        first, last = self.history.indptr[start], self.history.indptr[min(stop, len(self))]
        ages = self.ages_days[first:last] if len(self.ages_days) else self.ages_days
        profiles = self.profiles.rows(start, stop) if self.profiles is not None else None
        return type(self)(self.user_rows[start:stop], self.history[start:stop], ages, profiles)


def batch_of_users(dataset: Dataset, user_rows: NDArray[np.int32], as_of: int | None = None) -> RequestBatch:
    """Return the requests that these users of a dataset would make.

    Args:
        user_rows: (b,) int32, all known.
        as_of: microseconds since 1970 UTC that ages are counted from; the dataset's newest
            interaction if None.
    """
    history = dataset.matrix[user_rows]
    as_of = latest_time(dataset.interactions) if as_of is None else as_of
    ages = _last_times(dataset)[user_rows]
    ages_days = ((as_of - ages.data) / MICROSECONDS_PER_DAY).astype(np.float32)
    features = dataset.user_features
    numbers = features.numbers[user_rows] if features.number_names else features.numbers
    profiles = Features(
        [features.texts[row] for row in user_rows],
        [features.terms[row] for row in user_rows],
        numbers,
        features.number_names,
    )
    return RequestBatch(np.asarray(user_rows, dtype=np.int32), history, ages_days, profiles)


def _last_times(dataset: Dataset) -> sparse.csr_matrix:
    """(n_users, n_items) int64 CSR of each pair's newest time, with the same pattern as ``dataset.matrix``."""
    table = dataset.interactions
    table = table.select(table.weights != 0)
    order = np.lexsort((table.times, table.item_rows, table.user_rows))
    users, items, times = table.user_rows[order], table.item_rows[order], table.times[order]
    is_last = np.ones(len(users), dtype=bool)
    is_last[:-1] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    users, items, times = users[is_last], items[is_last], times[is_last]
    indptr = np.searchsorted(users, np.arange(dataset.n_users + 1))
    return sparse.csr_matrix((times, items, indptr), shape=dataset.matrix.shape)
