"""Trainers that learn in steps can be watched, and stopped."""

import pytest

from recommender_app.exceptions import ConfigurationError
from recommender_app.trainers.als import ALSTrainer
from recommender_app.trainers.als_config import ALSConfig
from recommender_app.trainers.base import silent
from recommender_app.trainers.ensemble import EnsembleConfig, EnsembleTrainer
from recommender_app.trainers.popularity import PopularityTrainer
from recommender_app.trainers.two_tower import TwoTowerTrainer
from recommender_app.trainers.two_tower_config import TwoTowerConfig
from tests.core.toys import state_bytes, two_tastes

ALS = ALSConfig(iterations=3, n_threads=1)
TWO_TOWER = TwoTowerConfig(dimension=4, epochs=2, min_steps=2, threads=1)


class Enough(Exception):
    """Stop."""


def watched(trainer, config) -> list[tuple[int, int, dict]]:
    """Return what was seen on the way."""
    seen = []
    trainer.train_watched(
        two_tastes(), config, 0, silent, lambda done, total, now: seen.append((done, total, state_bytes(now().state())))
    )
    return seen


def test_als_is_seen_after_each_iteration_and_the_last_is_what_it_becomes():
    seen = watched(ALSTrainer(), ALS)
    assert [step[:2] for step in seen] == [(1, 3), (2, 3), (3, 3)]
    assert seen[0][2] != seen[2][2]
    assert seen[2][2] == state_bytes(ALSTrainer().train(two_tastes(), ALS, 0).state())


def test_two_tower_is_seen_after_each_epoch():
    assert [step[:2] for step in watched(TwoTowerTrainer(), TWO_TOWER)] == [(1, 2), (2, 2)]


@pytest.mark.parametrize(("trainer", "config"), [(ALSTrainer(), ALS), (TwoTowerTrainer(), TWO_TOWER)])
def test_who_watches_can_stop(trainer, config):
    steps = []

    def stop(done, total, now):
        steps.append(done)
        raise Enough

    with pytest.raises(Enough):
        trainer.train_watched(two_tastes(), config, 0, silent, stop)
    assert steps == [1]


def test_who_learns_in_one_step_is_not_watched():
    assert watched(PopularityTrainer(), None) == []


def test_planned_weights_can_be_shifted():
    config = EnsembleConfig(weights="planned", als_weight=0.3, fusion="rrf")
    recipe = EnsembleTrainer().train_for_release(two_tastes(), config)
    assert (recipe.weights, recipe.fusion) == ({"als": 0.3, "two_tower": 0.7}, "rrf")
    with pytest.raises(ConfigurationError, match=r"als_weight=1\.5 must lie between 0 and 1"):
        EnsembleConfig(als_weight=1.5)
