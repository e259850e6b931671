"""Every trainer keeps the contract; trainers are collected by themselves from the settings."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from recommender_app.exceptions import ConfigurationError, NotEnoughData
from tests.core.toys import (
    N_ITEMS,
    TOY_CONFIG,
    dataset_of,
    hidden_item,
    history_of,
    request,
    state_bytes,
    table,
    two_tastes,
)
from tests.core.trained import TRAINER_KEYS, train_toy, trained, trainer_of

every_trainer = pytest.mark.parametrize("key", TRAINER_KEYS)


@every_trainer
def test_a_trainer_makes_the_engine_of_its_key(key: str) -> None:
    assert trainer_of(key).key == trained(key).key == key


@every_trainer
def test_the_same_seed_gives_the_same_bytes(key: str) -> None:
    assert state_bytes(train_toy(key).state()) == state_bytes(trained(key).state())


@every_trainer
def test_the_configuration_round_trips_through_json(key: str) -> None:
    config_class = trainer_of(key).Config
    config = config_class()
    assert config_class.from_json(json.loads(json.dumps(config.to_json()))) == config


@every_trainer
def test_the_configuration_is_frozen_and_documented(key: str) -> None:
    config_class = trainer_of(key).Config
    fields = [field.name for field in dataclasses.fields(config_class)]
    for name in fields:
        assert name in (config_class.__doc__ or ""), f"{config_class.__name__}.{name} is not documented"
    if fields:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(config_class(), fields[0], None)


@every_trainer
def test_every_preset_is_a_valid_configuration(key: str) -> None:
    config_class = trainer_of(key).Config
    for values in config_class.PRESETS.values():
        config_class.from_json(values)


@every_trainer
def test_an_unknown_option_is_refused_by_name(key: str) -> None:
    with pytest.raises(ConfigurationError, match="colour"):
        trainer_of(key).Config.from_json({"colour": "red"})


@every_trainer
@pytest.mark.parametrize(
    "likes_and_dislikes", [([], []), ([], [(0, 0), (1, 1)])], ids=["nothing at all", "dislikes only"]
)
def test_nothing_to_learn_from_is_said_in_one_line(key: str, likes_and_dislikes: tuple) -> None:
    with pytest.raises(NotEnoughData) as error:
        trainer_of(key).train(dataset_of(table(*likes_and_dislikes)))
    assert str(error.value)
    assert "\n" not in str(error.value)


@every_trainer
def test_an_empty_catalogue_is_said_in_one_line(key: str) -> None:
    with pytest.raises(NotEnoughData):
        trainer_of(key).train(dataset_of(table([]), n_users=0, n_items=0))


@every_trainer
def test_dislikes_in_the_data_leave_finite_opinions(key: str) -> None:
    engine = trained(key, with_dislikes=True)
    scores = engine.score(request(history_of(0)))
    assert engine.n_items == N_ITEMS
    assert np.isfinite(scores).any()
    assert not np.isinf(scores).any()


@every_trainer
def test_disliking_an_item_never_raises_its_score(key: str) -> None:
    engine = trained(key, with_dislikes=True)
    hidden = hidden_item(0)
    neutral, disliked = engine.score(request(history_of(0), history_of(0) | {hidden: -1.0}))[:, hidden]
    assert disliked <= neutral + 1e-6


@every_trainer
def test_progress_is_reported_up_to_the_end(key: str) -> None:
    reports: list[tuple[int, int]] = []
    trainer = trainer_of(key)
    config = trainer.Config.from_json(TOY_CONFIG.get(key, {}))
    trainer.train(two_tastes(), config, 1, lambda done, total, _label: reports.append((done, total)))
    assert reports
    assert all(total > 0 and 0 <= done <= total for done, total in reports)
    assert reports[-1][0] == reports[-1][1]
