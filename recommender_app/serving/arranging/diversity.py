"""Which items of an ordered pool make a varied list."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recommender_app.serving.arranging.caps import CapCounter

Similarities = NDArray[np.float32]  # (n, n), 1 = alike, 0 = nothing in common


def select(
    n_wanted: int,
    tiers: Sequence[int],
    caps: CapCounter,
    strength: float = 0.0,
    similarities: Similarities | None = None,
) -> list[int]:
    """Return the places of up to ``n_wanted`` items, in the order in which they are to be shown.

    Greedy maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): the next item is the
    one with the largest ``(1 - strength) * relevance - strength * similarity to the most similar
    item chosen before``. Scores of different engines cannot be compared; so, other than there,
    relevance is the place in the given order: 1 for the first of n, 1/n for the last. Strength 0
    keeps the order. Ties go to the earlier place.

    Where caps leave too few, the list is filled up with the capped items in order: a full list
    beats a cap.

    Args:
        tiers: (n,) of each item; all of a lower tier that keep the caps are shown before any of a higher.
        caps: counts what is chosen; (n,) items.
        strength: 0..1.
        similarities: (n, n); None = nothing is alike.
    """
    tier_of = np.asarray(tiers, dtype=np.int64)
    n = len(tier_of)
    relevance = 1.0 - np.arange(n) / max(n, 1)
    closest = np.zeros(n)
    is_open = np.ones(n, dtype=bool)
    chosen: list[int] = []
    while len(chosen) < min(n_wanted, n):
        place = _next(is_open & caps.is_allowed, tier_of, (1 - strength) * relevance - strength * closest)
        if place is None:
            break
        chosen.append(place)
        is_open[place] = False
        caps.take(place)
        if similarities is not None:
            closest = np.maximum(closest, similarities[place])
    left = sorted(np.flatnonzero(is_open).tolist(), key=lambda place: (tier_of[place], place))
    return [*chosen, *left[: max(n_wanted - len(chosen), 0)]]


def _next(is_open: NDArray[np.bool_], tiers: NDArray[np.int64], values: NDArray[np.float64]) -> int | None:
    """Return the open place of the lowest tier with the largest value; None if nothing is open."""
    places = np.flatnonzero(is_open)
    if not len(places):
        return None
    places = places[tiers[places] == tiers[places].min()]
    return int(places[np.argmax(values[places])])
