"""The ensemble's weights come from interactions that its members did not see."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recommender_app.exceptions import ConfigurationError
from recommender_app.trainers.base import with_threads
from recommender_app.trainers.catalog import trainer_of
from recommender_app.trainers.contributions import Contributions
from recommender_app.trainers.ensemble import EnsembleConfig, EnsembleTrainer, hold_out
from recommender_app.trainers.fusion_fit import fit_weights, ndcg
from recommender_app.trainers.two_tower_optimizer import RowAdam
from tests.core.toys import request, two_tastes


def contributions(*by_member: list[list[float]], hits: list[list[bool]]) -> Contributions:
    values = np.stack([np.array(each, dtype=np.float32) for each in by_member], axis=2)
    is_hit = np.array(hits)
    keys = tuple("abc"[: len(by_member)])
    return Contributions(keys, values, is_hit, np.zeros_like(is_hit), is_hit.sum(axis=1))


def test_the_member_that_is_always_right_gets_all_the_weight_it_needs():
    right, wrong = [[0.6, 0.0]] * 3, [[0.0, 1.0]] * 3
    weights = fit_weights(contributions(right, wrong, hits=[[True, False]] * 3), k=1)
    assert weights["a"] > weights["b"]


def test_two_members_that_know_different_users_are_better_together():
    """a is right about the first user by far and wrong about the second by a little; b the other way round."""
    a, b = [[1.0, 0.0], [0.4, 0.5]], [[0.5, 0.6], [1.0, 0.0]]
    known = contributions(a, b, hits=[[True, False], [True, False]])
    weights = fit_weights(known, k=1)
    assert ndcg(known, np.array(list(weights.values())), 1) == 1.0
    assert ndcg(known, np.array([1.0, 0.0]), 1) == 0.5


def test_ndcg_of_a_perfect_ranking_is_one_and_padding_never_ranks():
    hits = np.array([[True, False, False]])
    padded = Contributions(("a",), np.array([[[0.5], [0.1], [0.0]]], dtype=np.float32), hits,
                           np.array([[False, False, True]]), np.array([1]))  # fmt: skip
    assert ndcg(padded, np.array([1.0]), 2) == 1.0


def test_planned_is_the_plans_formula():
    engine = EnsembleTrainer().train_for_release(
        two_tastes(), EnsembleConfig.from_json(EnsembleConfig.PRESETS["planned"])
    )
    assert engine.weights == {"als": 0.6, "two_tower": 0.4}


def test_learned_weights_name_every_member_that_could_learn_and_sum_to_one():
    config = EnsembleConfig(members="popular,als,item_graph", validation="random")
    engine = EnsembleTrainer().train(two_tastes(), config, seed=1)
    assert set(engine.weights) == set(engine.members) == {"popular", "als", "item_graph"}
    assert sum(engine.weights.values()) == pytest.approx(1, abs=1e-3)
    assert np.isfinite(engine.score(request({0: 1.0}))).any()


def test_what_is_published_holds_no_members():
    config = EnsembleConfig(members="popular,als", validation="random")
    assert EnsembleTrainer().train_for_release(two_tastes(), config, seed=1).members == {}


def test_the_held_out_part_is_not_in_what_members_learn_from():
    data = two_tastes()
    for validation in ("random", "last"):
        split = hold_out(data, EnsembleConfig(validation=validation, validation_fraction=0.4), seed=3)
        seen = set(zip(split.train.interactions.user_rows, split.train.interactions.item_rows, strict=True))
        held = set(zip(split.test.user_rows, split.test.item_rows, strict=True))
        assert held
        assert not seen & held


@pytest.mark.parametrize("members", ["", " , ", "als,ensemble"])
def test_members_without_sense_are_refused(members):
    with pytest.raises(ConfigurationError):
        EnsembleTrainer().train(two_tastes(), EnsembleConfig(members=members))


def test_every_engine_key_has_its_trainer_in_the_catalogue():
    for key in ("popular", "trending", "als", "content_based", "two_tower", "item_graph", "ensemble"):
        assert trainer_of(key).key == key
    with pytest.raises(ConfigurationError, match="choose from"):
        trainer_of("oracle")


def test_members_are_trained_with_their_own_options():
    data, config = two_tastes(), EnsembleConfig(members="als", member_options='{"als": {"factors": 3}}')
    engine = EnsembleTrainer().train(data, config, seed=1)
    assert engine.members["als"].state()["item_factors"].shape[1] == 3
    assert EnsembleConfig.from_json(config.to_json()) == config


def test_members_take_the_ensembles_threads_where_they_have_no_number_of_their_own():
    assert with_threads(trainer_of("als").Config(), 1).n_threads == 1
    assert with_threads(trainer_of("two_tower").Config(), 1).threads == 1
    assert with_threads(trainer_of("als").Config(n_threads=2), 1).n_threads == 2
    assert with_threads(trainer_of("popular").Config(), 1) == trainer_of("popular").Config()


def test_an_ensemble_on_one_thread_gives_torch_one_thread(monkeypatch):
    seen, step = set(), RowAdam.step

    def watched_step(*arguments):
        seen.add(torch.get_num_threads())
        return step(*arguments)

    monkeypatch.setattr(RowAdam, "step", watched_step)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        options = EnsembleConfig(members="als,two_tower", n_threads=1, member_options='{"two_tower": {"epochs": 1}}')
        EnsembleTrainer().train(two_tastes(), options, seed=1)
    finally:
        torch.set_num_threads(before)
    assert seen == {1}


def test_fewer_threads_than_none_are_refused():
    with pytest.raises(ConfigurationError, match="n_threads=-1"):
        EnsembleConfig(n_threads=-1)


@pytest.mark.parametrize("text", ["als", "[1]", '{"als": 3}', '{"als": {"colour": 1}}', '{"nothing": {}}'])
def test_member_options_that_make_no_sense(text):
    with pytest.raises(ConfigurationError):
        EnsembleConfig(member_options=text)
