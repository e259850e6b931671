"""Cuts of a dataset into what is learned from and what is predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.interactions import InteractionTable
from recommender_app.dataset.user_pairs import UserPairs
from recommender_app.exceptions import ConfigurationError

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Split:
    """A train and a test part in the same row spaces.

    Attributes:
        train: everything that trainers may see.
        test: interactions that count as hits: relevant event, positive weight, pair not in train.
        name: "temporal", "leave_last_out", ...
        description: one line that says how the cut was made.
    """

    train: Dataset
    test: InteractionTable
    name: str
    description: str


def temporal_split(dataset: Dataset, test_fraction: float = 0.2) -> Split:
    """Cut all users at one moment: what happened after it is test.

    The moment is chosen so that the newest ``test_fraction`` of all interactions comes after it;
    interactions of the same moment stay together, in train. The only cut without any knowledge
    of the future.
    """
    _check_fraction(test_fraction)
    times = dataset.interactions.times
    n_train = len(times) - int(len(times) * test_fraction)
    is_test = times > np.sort(times)[n_train - 1] if len(times) else np.zeros(0, dtype=bool)
    return _cut(dataset, is_test, "temporal", f"global time cut, newest {test_fraction:.0%} held out")


def leave_last_out(dataset: Dataset, n: int = 1) -> Split:
    """Hold out each user's n newest relevant pairs, and everything the user did after them.

    Users with n or fewer relevant pairs stay in train whole.
    """
    if n < 1:
        raise ConfigurationError(f"leave_last_out holds out at least one pair per user, not {n}.")
    pairs = UserPairs.of(dataset)
    is_relevant = pairs.any_of(is_relevant_interaction(dataset, dataset.interactions)).astype(np.int64)
    order = pairs.oldest_first()
    until = np.cumsum(is_relevant[order])
    total = np.bincount(pairs.users, weights=is_relevant, minlength=dataset.n_users).astype(np.int64)
    later = np.empty(len(pairs), dtype=np.int64)
    later[order] = np.cumsum(total)[pairs.users[order]] - until
    held_out = (later < n) & (total[pairs.users] > n)
    return _cut(dataset, held_out[pairs.of_interaction], "leave_last_out", f"each user's last {n} held out")


def last_fraction_split(dataset: Dataset, test_fraction: float = 0.2) -> Split:
    """Hold out the newest ``test_fraction`` of each user's pairs: rounded up, one stays in train."""
    _check_fraction(test_fraction)
    pairs = UserPairs.of(dataset)
    held_out = pairs.newest_fraction(pairs.last_times, test_fraction)
    description = f"each user's last {test_fraction:.0%} held out"
    return _cut(dataset, held_out[pairs.of_interaction], "last_fraction", description)


def random_split(dataset: Dataset, test_fraction: float = 0.2, seed: int = 0) -> Split:
    """Hold out a random ``test_fraction`` of each user's pairs: rounded up, one stays in train."""
    _check_fraction(test_fraction)
    pairs = UserPairs.of(dataset)
    shuffled = np.random.default_rng(seed).permutation(len(pairs))
    held_out = pairs.newest_fraction(shuffled, test_fraction)
    description = f"random {test_fraction:.0%} of each user held out, seed {seed}"
    return _cut(dataset, held_out[pairs.of_interaction], "random", description)


def is_relevant_interaction(dataset: Dataset, table: InteractionTable) -> Mask:
    """Return an (n,) mask: positive weight and a relevant event (any event where none is named)."""
    is_positive: Mask = table.weights > 0
    if not dataset.relevant_events:
        return is_positive
    return is_positive & table.has_event(dataset.relevant_events)


def _cut(dataset: Dataset, is_test: Mask, name: str, description: str) -> Split:
    table = dataset.interactions
    train, test = table.select(~is_test), table.select(is_test)
    test = test.select(is_relevant_interaction(dataset, test))
    n_items = dataset.n_items
    is_known = np.isin(_pair_codes(test, n_items), _pair_codes(train, n_items))
    return Split(dataset.with_interactions(train), test.select(~is_known), name, description)


def _pair_codes(table: InteractionTable, n_items: int) -> NDArray[np.int64]:
    return table.user_rows.astype(np.int64) * n_items + table.item_rows


def _check_fraction(test_fraction: float) -> None:
    if not 0 < test_fraction < 1:
        raise ConfigurationError(f"test_fraction={test_fraction:g} must lie between 0 and 1.")
