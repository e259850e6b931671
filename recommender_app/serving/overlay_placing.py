"""Where items go that an engine did not propose: pure functions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender_app.serving.pool import Proposals

Floats = NDArray[np.floating]


def with_scores(proposals: Proposals, scored: Proposals, k: int) -> Proposals:
    """Return the k best of both; an item in both has the score of ``scored``. Equals: ``proposals`` first."""
    newer = {item_id for item_id, _ in scored}
    kept = [proposal for proposal in proposals if proposal[0] not in newer]
    return sorted([*kept, *scored], key=lambda proposal: -proposal[1])[:k]


def place_guests(
    scores: Floats, opinions: Floats, guests: Floats, sample: Floats, n_catalogue: int
) -> list[tuple[int, float]]:
    """Return (guest, score) of the guests that may enter an engine's list, best first.

    The engine that made the list has no opinion on the guests, another one, the judge, has: on
    them, on the items of the list, and on a sample of the catalogue.

    1. A guest enters only if the judge would place it as high in the catalogue as the list
       reaches: among n items, the best n of ``n_catalogue`` by the share of the sample above it.
    2. Its score is the engine's at the same quantile: what the engine gave to the item that the
       judge likes just as much, linearly between neighbours. A guest below all items of the list
       stays out, one above all gets the best score.
    3. The i-th guest (from 0) gets at most the score of the list's item at place 2i: guests
       take every third place at most, however many were added to the catalogue at once.

    Args:
        scores: (n,) the engine's, descending.
        opinions: (n,) the judge's on the same items; NaN = none.
        guests: (m,) the judge's on the guests; NaN = none.
        sample: (s,) the judge's on some of the catalogue, spread evenly.
        n_catalogue: how many items the sample stands for.
    """
    is_judged = np.isfinite(opinions)
    if not is_judged.any():
        return []
    judged, levels = np.sort(opinions[is_judged]), np.sort(scores[is_judged])
    sample = np.sort(sample[np.isfinite(sample)])
    n_above = len(sample) - np.searchsorted(sample, guests, side="right")
    rank = n_above / max(len(sample), 1) * n_catalogue
    with np.errstate(invalid="ignore"):
        chosen = np.flatnonzero((guests >= judged[0]) & (rank <= len(scores)))
    chosen = chosen[np.argsort(-guests[chosen], kind="stable")][: (len(scores) + 1) // 2]
    highest = scores[2 * np.arange(len(chosen))]
    placed = np.minimum(np.interp(guests[chosen], judged, levels), highest)
    return list(zip(chosen.tolist(), placed.tolist(), strict=True))
