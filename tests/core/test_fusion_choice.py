"""How scores are fused is decided on validation, and only for a good reason."""

from __future__ import annotations

import numpy as np
import pytest

from recommender_app.engines.batch import batch_of_users
from recommender_app.engines.fusion import normalise
from recommender_app.trainers.contributions import Contributions, Recipe, collect_contributions
from recommender_app.trainers.ensemble import EnsembleConfig, EnsembleTrainer, hold_out
from recommender_app.trainers.fusion_choice import DEFAULT_RECIPE, RECIPES, choose_recipe, users_to_choose_on
from tests.core.toys import N_ITEMS, two_tastes
from tests.core.trained import trained

RRF = Recipe("rrf")


def known(first_is_right: list[bool]) -> Contributions:
    """Return one member that ranks one of two items first, rightly for some users."""
    values = np.array([[[1.0], [0.0]] if right else [[0.0], [1.0]] for right in first_is_right], dtype=np.float32)
    is_hit = np.tile([True, False], (len(first_is_right), 1))
    return Contributions(("a",), values, is_hit, np.zeros_like(is_hit), np.ones(len(first_is_right), dtype=np.intp))


def test_the_default_stays_where_another_wins_by_luck():
    default, other = [True] * 10 + [False] * 10, [True] * 11 + [False] * 9
    assert choose_recipe({DEFAULT_RECIPE: known(default), RRF: known(other)}, k=1) == DEFAULT_RECIPE


def test_another_is_taken_that_is_significantly_better():
    default, other = [True] * 5 + [False] * 15, [True] * 15 + [False] * 5
    assert choose_recipe({DEFAULT_RECIPE: known(default), RRF: known(other)}, k=1) == RRF


def test_a_worse_one_is_never_taken():
    assert choose_recipe({DEFAULT_RECIPE: known([True] * 20), RRF: known([False] * 20)}, k=1) == DEFAULT_RECIPE


def test_every_recipe_sees_the_same_users_and_candidates():
    data = two_tastes()
    split = hold_out(data, EnsembleConfig(validation="random"), seed=1)
    members = {"popular": trained("popular"), "als": trained("als")}
    found = collect_contributions(members, split, RECIPES, 3000, 1, lambda *_: None)
    assert set(found) == set(RECIPES)
    first = found[DEFAULT_RECIPE]
    for recipe, contributions in found.items():
        assert contributions.values.shape == (*first.is_hit.shape, 2)
        assert contributions.is_hit is first.is_hit
        assert not contributions.values[first.is_padding].any(), recipe


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_contribution_is_what_serving_computes(recipe):
    """All of a user's unseen items are candidates here, in the order of their rows."""
    split = hold_out(two_tastes(), EnsembleConfig(validation="random"), seed=1)
    engine = trained("als")
    found = collect_contributions({"als": engine}, split, [recipe], 3000, 1, lambda *_: None)[recipe]
    user = 0
    batch = batch_of_users(split.train, np.array([user], dtype=np.int32))
    served = normalise(engine.score(batch), batch.history, recipe.fusion, recipe.depth)[0]
    seen = set(batch.history.indices.tolist())
    scored = [row for row in range(N_ITEMS) if row not in seen and np.isfinite(engine.score(batch)[0, row])]
    assert found.values[user][~found.is_padding[user], 0] == pytest.approx(served[scored])


@pytest.mark.parametrize("fusion", ["weighted", "rrf", "hybrid"])
def test_a_named_fusion_is_taken_as_it_is(fusion):
    config = EnsembleConfig(members="popular,als", validation="random", fusion=fusion, depth=3)
    engine = EnsembleTrainer().train_for_release(two_tastes(), config, seed=1)
    assert (engine.fusion, engine.depth) == (fusion, 3)


def test_the_plans_formula_averages_scores():
    engine = EnsembleTrainer().train_for_release(two_tastes(), EnsembleConfig(weights="planned"))
    assert (engine.fusion, engine.depth) == ("weighted", 0)


def test_the_larger_the_catalogue_the_fewer_users_decide():
    sizes = (1, 1_000, 40_000, 10_000_000)
    assert [users_to_choose_on(n_items, 3000) for n_items in sizes] == [3000, 3000, 500, 200]
    assert users_to_choose_on(40_000, 100) == 100
