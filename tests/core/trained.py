"""Engines trained on the toy, once per test process."""

from __future__ import annotations

from functools import cache

from django.utils.module_loading import import_string

from recommender_app.conf import DEFAULTS
from recommender_app.engines.base import Engine
from recommender_app.engines.catalog import engine_keys
from recommender_app.trainers.base import Trainer
from tests.core.toys import TOY_CONFIG, two_tastes

TRAINER_KEYS = tuple(DEFAULTS["TRAINERS"])
ENGINE_KEYS = tuple(key for key in engine_keys() if key in TRAINER_KEYS)
SEED = 7


def trainer_of(key: str) -> Trainer:
    """Return the trainer that the settings name for an engine key."""
    return import_string(DEFAULTS["TRAINERS"][key])()


def train_toy(key: str, with_dislikes: bool = False, seed: int = SEED) -> Engine:
    """Train an engine on the toy with its toy options."""
    trainer = trainer_of(key)
    config = trainer.Config.from_json(TOY_CONFIG.get(key, {}))
    return trainer.train(two_tastes(with_dislikes), config, seed)


@cache
def trained(key: str, with_dislikes: bool = False) -> Engine:
    """Return the engine of ``train_toy``, trained once."""
    return train_toy(key, with_dislikes)
