"""Data whose answer a child can check.

Two taste groups, red and blue: six users and six items each. Every user liked every item of the
own group but one, a different one for each user: that one is the right answer. A thirteenth item
is red by its features, but nobody has touched it. Group sizes are equal, so no count gives the
answer away.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.features import Features
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import MICROSECONDS_PER_DAY, InteractionTable
from recommender_app.engines.batch import RequestBatch

GROUP = 6
N_USERS = N_GROUPED = 2 * GROUP
NEW_ITEM = N_GROUPED
N_ITEMS = N_GROUPED + 1
EVENTS = ("like", "dislike")
COLOURS = ("red", "blue")
THINGS = ("apple", "ball", "chair", "door", "egg", "flag")

# Options that an engine needs to learn from so little in a moment; whoever adds one says why.
TOY_CONFIG: dict[str, dict[str, Any]] = {
    "als": {"n_threads": 1},  # more threads do not promise the same bytes
    "content_based": {"n_threads": 1},  # the same
    "two_tower": {"threads": 1},  # likewise
    "ensemble": {"members": "popular,als,item_graph", "validation": "random"},
}


def hidden_item(user: int) -> int:
    """Return the one item of the user's group that the user has not touched."""
    group, place = divmod(user, GROUP)
    return group * GROUP + place


def liked_items(user: int) -> list[int]:
    """Return the five items that the user liked."""
    first = user // GROUP * GROUP
    return [item for item in range(first, first + GROUP) if item != hidden_item(user)]


def other_group(user: int) -> list[int]:
    """Return the six items that the user's group does not care for."""
    first = (1 - user // GROUP) * GROUP
    return list(range(first, first + GROUP))


def table(likes: list[tuple[int, int]], dislikes: list[tuple[int, int]] = ()) -> InteractionTable:  # type: ignore[assignment]
    """Return interactions of (user, item) pairs, an hour apart, in the given order."""
    pairs = [*likes, *dislikes]
    is_dislike = np.arange(len(pairs)) >= len(likes)
    users, items = (np.array([pair[side] for pair in pairs], dtype=np.int32) for side in (0, 1))
    times = np.arange(1, len(pairs) + 1, dtype=np.int64) * (MICROSECONDS_PER_DAY // 24)
    weights = np.where(is_dislike, -1, 1).astype(np.float32)
    return InteractionTable(users, items, is_dislike.astype(np.uint8), weights, times, EVENTS)


def dataset_of(interactions: InteractionTable, n_users: int = N_USERS, n_items: int = N_ITEMS) -> Dataset:
    """Return a dataset of plain integer ids without features."""
    users, items = IdMap("int", np.arange(n_users)), IdMap("int", np.arange(n_items))
    return Dataset(
        users, items, interactions, Features.empty(n_items), Features.empty(n_users), relevant_events=("like",)
    )


def two_tastes(with_dislikes: bool = False) -> Dataset:
    """Return the toy; with dislikes, every user also dislikes one item of the other group."""
    likes = [(user, item) for user in range(N_USERS) for item in liked_items(user)]
    likes = [likes[place] for place in np.random.default_rng(0).permutation(len(likes))]
    dislikes = [(user, other_group(user)[user % GROUP]) for user in range(N_USERS)] if with_dislikes else []
    users, items = IdMap("int", np.arange(N_USERS)), IdMap("int", np.arange(N_ITEMS))
    return Dataset(users, items, table(likes, dislikes), item_features(), user_features(), relevant_events=("like",))


def item_features() -> Features:
    """Say the colour of every item, the new one being red, and give each a word of its own."""
    colours = [*(COLOURS[item // GROUP] for item in range(N_GROUPED)), "red"]
    things = [*(THINGS[item % GROUP] for item in range(N_GROUPED)), "gate"]
    texts = [f"{colour} {thing}" for colour, thing in zip(colours, things, strict=True)]
    return Features(texts, [(f"colour={colour}",) for colour in colours])


def user_features() -> Features:
    """Say the favourite colour of every user."""
    colours = [COLOURS[user // GROUP] for user in range(N_USERS)]
    return Features([f"likes {colour}" for colour in colours], [(f"colour={colour}",) for colour in colours])


def request(*histories: dict[int, float], n_items: int = N_ITEMS, profiles: Features | None = None) -> RequestBatch:
    """Return a batch of unknown users with the given {item row: signed weight} histories, fresh today."""
    indptr = np.cumsum([0, *(len(history) for history in histories)])
    indices = np.array([item for history in histories for item in sorted(history)], dtype=np.int32)
    data = np.array([history[item] for history in histories for item in sorted(history)], dtype=np.float32)
    matrix = sparse.csr_matrix((data, indices, indptr), shape=(len(histories), n_items))
    users = np.full(len(histories), -1, dtype=np.int32)
    return RequestBatch(users, matrix, np.zeros(len(data), dtype=np.float32), profiles)


def history_of(user: int) -> dict[int, float]:
    """Return what the toy user liked, as a history."""
    return dict.fromkeys(liked_items(user), 1.0)


def excluding(*rows: list[int], n_items: int = N_ITEMS) -> sparse.csr_matrix:
    """Return the (b, n_items) CSR that hides the given item rows of each request."""
    indptr = np.cumsum([0, *map(len, rows)])
    indices = np.array([row for chosen in rows for row in sorted(chosen)], dtype=np.int32)
    return sparse.csr_matrix((np.ones(len(indices), dtype=np.float32), indices, indptr), shape=(len(rows), n_items))


def state_bytes(state: dict[str, np.ndarray]) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Return an engine's arrays in a form that can be compared bit by bit."""
    return {
        name: (str(array.dtype), array.shape, np.ascontiguousarray(array).tobytes()) for name, array in state.items()
    }
