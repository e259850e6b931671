from __future__ import annotations

import pickle
from typing import Any

import pytest

from recommender_app.exceptions import TrainingError
from recommender_app.trainers.two_tower import TwoTowerTrainer
from recommender_app.trainers.two_tower_config import TwoTowerConfig
from tests.core.two_tower_toys import taste_groups


class Stopped(Exception):
    pass


def stop_after(epochs: int):
    calls = []

    def progress(*args) -> None:
        calls.append(args)
        if len(calls) == epochs:
            raise Stopped

    return progress


@pytest.mark.parametrize("stopped_after", [1, 3, 5])
def test_a_resumed_run_ends_in_the_same_bytes_as_one_that_was_never_stopped(tmp_path, stopped_after):
    data = taste_groups(with_features=True)
    options: dict[str, Any] = {"threads": 1, "epochs": 4, "patience": 9, "dense_layers": 1}
    whole = TwoTowerTrainer().train(data, TwoTowerConfig(**options), seed=3)
    config = TwoTowerConfig(**options, checkpoint=str(tmp_path / "run"))
    with pytest.raises(Stopped):
        TwoTowerTrainer().train(data, config, seed=3, progress=stop_after(stopped_after))
    resumed = TwoTowerTrainer().train(data, config, seed=3)
    for name, array in whole.state().items():
        assert array.tobytes() == resumed.state()[name].tobytes(), name


def test_a_resumed_run_does_not_repeat_epochs(tmp_path):
    config = TwoTowerConfig(epochs=3, patience=9, validation_fraction=0.0, checkpoint=str(tmp_path / "run"))
    with pytest.raises(Stopped):
        TwoTowerTrainer().train(taste_groups(), config, progress=stop_after(2))
    epochs = []
    TwoTowerTrainer().train(taste_groups(), config, progress=lambda done, *_: epochs.append(done))
    assert epochs == [3]


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    config = TwoTowerConfig(epochs=1, checkpoint=str(tmp_path / "run"))
    TwoTowerTrainer().train(taste_groups(), config)
    with pytest.raises(TrainingError, match="other data, options or seed"):
        TwoTowerTrainer().train(taste_groups(), config, seed=9)
    with pytest.raises(TrainingError, match="other data, options or seed"):
        TwoTowerTrainer().train(taste_groups(14), config)


class Bomb:
    def __init__(self, path) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_checkpoint_with_code_in_it_is_refused_and_not_run(tmp_path):
    victim = tmp_path / "pwned"
    (tmp_path / "run.fit").write_bytes(pickle.dumps(Bomb(victim), protocol=2))
    with pytest.raises(TrainingError, match="damaged or no checkpoint"):
        TwoTowerTrainer().train(taste_groups(), TwoTowerConfig(checkpoint=str(tmp_path / "run")))
    assert not victim.exists()


def test_a_checkpoint_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(TrainingError, match="checkpoint"):
        TwoTowerTrainer().train(taste_groups(), TwoTowerConfig(epochs=1, checkpoint=str(tmp_path / "file" / "run")))
