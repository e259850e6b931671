"""A dataset: users, items, interactions and features in one row space each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from recommender_app.dataset.features import Features
from recommender_app.dataset.ids import IdMap
from recommender_app.dataset.interactions import InteractionTable
from recommender_app.dataset.pairs import PairWeighting, weigh_pairs


@dataclass(frozen=True)
class Dataset:
    """What trainers learn from and evaluation measures on.

    Attributes:
        users, items: external id <-> row; every row of ``interactions`` is inside them.
        interactions: the columns.
        item_features, user_features: position = row; may say nothing.
        pair_weighting: how several interactions of one user with one item become one weight.
        relevant_events: events that count as a hit in evaluation.
        fingerprint: hash of the content, "" for a dataset that was never exported.
        as_of: ISO 8601, UTC: what the host's tables held then is in it, "" where nobody knows.
    """

    users: IdMap
    items: IdMap
    interactions: InteractionTable
    item_features: Features
    user_features: Features
    pair_weighting: PairWeighting = "max"
    relevant_events: tuple[str, ...] = ()
    event_weights: Mapping[str, float] = field(default_factory=dict)
    fingerprint: str = ""
    as_of: str = ""

    @property
    def n_users(self) -> int:
        """Number of user rows, users without interactions included."""
        return len(self.users)

    @property
    def n_items(self) -> int:
        """Number of item rows, items without interactions included."""
        return len(self.items)

    @cached_property
    def matrix(self) -> sparse.csr_matrix:
        """(n_users, n_items) float32, canonical CSR, one signed weight per pair; negative = dislike."""
        return weigh_pairs(self.interactions, (self.n_users, self.n_items), self.pair_weighting)

    @cached_property
    def positives(self) -> sparse.csr_matrix:
        """``matrix`` without its dislikes: (n_users, n_items) float32, all entries > 0."""
        positives = self.matrix.copy()
        positives.data[positives.data < 0] = 0.0
        positives.eliminate_zeros()
        return positives

    def with_interactions(self, interactions: InteractionTable) -> Dataset:
        """Return the same row spaces with other interactions: what a split makes."""
        return replace(self, interactions=interactions, fingerprint="")


def latest_time(interactions: InteractionTable) -> int:
    """Return the newest time in microseconds since 1970 UTC, 0 for no interactions."""
    return int(np.max(interactions.times)) if len(interactions) else 0
