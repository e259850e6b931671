"""Chooses how the members' scores are made comparable."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recommender_app.evaluation.compare import paired_bootstrap
from recommender_app.trainers.contributions import Contributions, Recipe
from recommender_app.trainers.fusion_fit import fit_weights, ndcg_of_users

DEFAULT_RECIPE = Recipe("weighted", 0)
RECIPES = (DEFAULT_RECIPE, Recipe("weighted", 200), Recipe("rrf", 0), Recipe("hybrid", 0))
_FEWEST_USERS, _MOST_SCORES = 200, 20_000_000  # ranking a whole catalogue takes 0.15 us per item, member and recipe


def users_to_choose_on(n_items: int, max_users: int) -> int:
    """Return how many users decide: fewer where the catalogue is large, for ranks are not cheap."""
    return min(max_users, max(_FEWEST_USERS, _MOST_SCORES // max(n_items, 1)))


def choose_recipe(known: Mapping[Recipe, Contributions], k: int, seed: int = 0) -> Recipe:
    """Return the default recipe, or the best other one if it is significantly better.

    Each recipe gets weights of its own. "Better" is mean NDCG@k over the same held-out users, the
    95 % interval of the paired bootstrap wholly above zero: weights are fitted on the same users,
    and whatever wins by less than that wins by luck.

    Args:
        known: contributions by recipe, ``DEFAULT_RECIPE`` among them.
    """
    quality = {recipe: _fitted(contributions, k) for recipe, contributions in known.items()}
    best = max(quality, key=lambda recipe: float(quality[recipe].mean()))
    comparison = paired_bootstrap(quality[DEFAULT_RECIPE], quality[best], seed)
    return best if comparison.is_significantly_better else DEFAULT_RECIPE


def _fitted(contributions: Contributions, k: int) -> np.ndarray:
    weights = np.array(list(fit_weights(contributions, k).values()))
    return ndcg_of_users(contributions, weights, k)
