"""Tiny data whose answer a child can check: two taste groups, and what the towers make of them."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.features import Features
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import MICROSECONDS_PER_DAY, InteractionTable
from recommender_app.engines.batch import RequestBatch

N_PER_GROUP = 6  # items 0..5 are cats, 6..11 are dogs


def interactions(rows: list[tuple[int, int, float]]) -> InteractionTable:
    """(user, item, weight), one a day in this order."""
    users, items, weights = (np.array(column) for column in zip(*rows, strict=True))
    return InteractionTable(
        users.astype(np.int32),
        items.astype(np.int32),
        (weights < 0).astype(np.uint8),
        weights.astype(np.float32),
        np.arange(len(rows), dtype=np.int64) * MICROSECONDS_PER_DAY,
        ("like", "dislike"),
    )


def taste_groups(n_users: int = 12, *, with_features: bool = False, cold_items: int = 0) -> Dataset:
    """Even users like cats, odd users dogs, each all but one item of the group.

    ``cold_items`` items that nobody has seen follow, by turns about cats and dogs.
    """
    n_items = 2 * N_PER_GROUP + cold_items
    rows = []
    for user in range(n_users):
        first = (user % 2) * N_PER_GROUP
        hidden = (user // 2) % N_PER_GROUP
        rows += [(user, first + item, 1.0) for item in range(N_PER_GROUP) if item != hidden]
    about = ["cat", "dog"]
    of_items = [about[0]] * N_PER_GROUP + [about[1]] * N_PER_GROUP + [about[row % 2] for row in range(cold_items)]
    item_features, user_features = Features.empty(n_items), Features.empty(n_users)
    if with_features:
        item_features = Features(
            [f"A book on a {word}" for word in of_items], [(f"topic={word}",) for word in of_items]
        )
        user_features = Features([""] * n_users, [(f"owns={about[user % 2]}",) for user in range(n_users)])
    users, items = IdMap("int", np.arange(n_users)), IdMap("int", np.arange(n_items))
    return Dataset(users, items, interactions(rows), item_features, user_features, relevant_events=("like",))


def request(
    n_items: int, weights: dict[int, float], ages: dict[int, float] | None = None, profiles: Features | None = None
) -> RequestBatch:
    """One request of an unknown user with this history."""
    rows = sorted(weights)
    history = sparse.csr_matrix(
        (np.array([weights[row] for row in rows], dtype=np.float32), rows, [0, len(rows)]), shape=(1, n_items)
    )
    ages_days = np.array([ages[row] for row in rows], dtype=np.float32) if ages else np.empty(0, dtype=np.float32)
    return RequestBatch(np.array([-1], dtype=np.int32), history, ages_days, profiles)
