"""Places for new items, with the probability of everything that was left to chance."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from math import comb
from typing import Any

import numpy as np

from recommender_app.serving.pool import Candidate


def explored(
    chosen: Sequence[Candidate],
    newcomers: Sequence[Candidate],
    share: float,
    seed: int,
    kept_ids: Collection[Any] = (),
) -> list[Candidate]:
    """Return the list with about ``share`` of its places given to newcomers, and all propensities.

    Each place that may be explored throws a coin: with probability ``share`` (e) it shows one of
    the m newcomers, drawn without replacement, each equally likely; else the next item of the
    list, so that the best keep their order and only the last drop out. The propensity is the
    probability that this item stands at this place:

    - newcomer: e / m
    - item i of the list at explored place r (both from 0, i <= r): C(r, i) (1-e)^(i+1) e^(r-i)
    - items before the explored places, and ``kept_ids``, which keep their places: 1

    Where there are fewer newcomers than places, only the last m places are explored: a coin must
    never find the newcomers used up, or the formula would not hold.

    Args:
        chosen: best first.
        newcomers: none of them in ``chosen``.
        share: 0..1.
        seed: the same seed gives the same list.
    """
    free = [candidate for candidate in chosen if candidate.id not in kept_ids]
    n_certain = max(len(free) - len(newcomers), 0)
    rng = np.random.default_rng(seed)
    is_explored = rng.random(len(free) - n_certain) < share
    draws = iter(rng.permutation(len(newcomers)).tolist())
    placed = [replace(candidate, propensity=1.0) for candidate in free[:n_certain]]
    n_shown = 0  # items of the list that have an explored place
    for place, is_newcomer in enumerate(is_explored.tolist()):
        if is_newcomer:
            placed.append(replace(newcomers[next(draws)], propensity=share / len(newcomers)))
        else:
            probability = comb(place, n_shown) * (1 - share) ** (n_shown + 1) * share ** (place - n_shown)
            placed.append(replace(free[n_certain + n_shown], propensity=probability))
            n_shown += 1
    return _with_kept(chosen, iter(placed), kept_ids)


def _with_kept(chosen: Sequence[Candidate], placed: Any, kept_ids: Collection[Any]) -> list[Candidate]:
    return [replace(each, propensity=1.0) if each.id in kept_ids else next(placed) for each in chosen]
