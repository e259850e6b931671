"""The distinct (user, item) pairs of a dataset: what per-user splits hold out as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.dataset import Dataset


@dataclass(frozen=True)
class UserPairs:
    """p pairs sorted by user and item, of n interactions.

    Attributes:
        users: (p,) int64 user rows, ascending.
        last_times: (p,) int64 microseconds, the pair's newest interaction.
        of_interaction: (n,) int64, the pair that each interaction belongs to.
        tie_breaks: (p,) int64, a fixed shuffle that orders pairs of equal time. Row order would
            not do: rows often follow age or popularity, and the test part would be biased.
    """

    users: NDArray[np.int64]
    last_times: NDArray[np.int64]
    of_interaction: NDArray[np.int64]
    tie_breaks: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.users)

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """Collect the pairs of a dataset."""
        table = dataset.interactions
        codes = table.user_rows.astype(np.int64) * dataset.n_items + table.item_rows
        pairs, of_interaction = np.unique(codes, return_inverse=True)
        last_times = np.full(len(pairs), np.iinfo(np.int64).min)
        np.maximum.at(last_times, of_interaction, table.times)
        tie_breaks = np.random.default_rng(0).permutation(len(pairs))
        return cls(pairs // max(dataset.n_items, 1), last_times, of_interaction, tie_breaks)

    def any_of(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return a (p,) mask of the pairs with at least one interaction in the (n,) ``mask``."""
        found = np.zeros(len(self), dtype=bool)
        found[self.of_interaction[mask]] = True
        return found

    def oldest_first(self) -> NDArray[np.intp]:
        """Return the order of the pairs by user, then time, then tie break."""
        return np.lexsort((self.tie_breaks, self.last_times, self.users))

    def newest_fraction(self, keys: NDArray[Any], fraction: float) -> NDArray[np.bool_]:
        """Return a (p,) mask of the ``fraction`` of each user's pairs with the largest keys.

        Rounded up, but one pair of each user is never chosen.
        """
        order = np.lexsort((self.tie_breaks, keys, self.users))
        sizes = np.bincount(self.users) if len(self) else np.zeros(0, dtype=np.int64)
        n_chosen = np.ceil(sizes * fraction - 1e-9).astype(np.int64)  # 0.2 of 5 is 1, whatever floats say
        n_chosen = np.minimum(n_chosen, sizes - 1)
        ends = np.cumsum(sizes)
        users = self.users[order]
        chosen = np.zeros(len(self), dtype=bool)
        chosen[order] = np.arange(len(self)) >= (ends - n_chosen)[users]
        return chosen
