from __future__ import annotations

import numpy as np
import pytest
import torch

from recommender_app.engines.batch import batch_of_users
from recommender_app.engines.two_tower_inputs import history_weights
from recommender_app.exceptions import ConfigurationError, NotEnoughData, TrainingError
from recommender_app.trainers.two_tower import TwoTowerTrainer
from recommender_app.trainers.two_tower_config import TwoTowerConfig
from tests.core.two_tower_toys import interactions, request, taste_groups


def state_bytes(engine) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in engine.state().items()}


@pytest.mark.parametrize("options", [{}, {"full_softmax_below": 0, "sampled_items": 4, "dense_layers": 1}])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones(options):
    data = taste_groups(with_features=True)
    config = TwoTowerConfig(threads=1, epochs=3, **options)
    first, again, other = (TwoTowerTrainer().train(data, config, seed=seed) for seed in (1, 1, 2))
    assert state_bytes(first) == state_bytes(again)
    assert state_bytes(first) != state_bytes(other)


def test_training_leaves_the_random_state_and_the_threads_of_torch_alone():
    torch.manual_seed(5)
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    TwoTowerTrainer().train(taste_groups(), TwoTowerConfig(threads=1, epochs=1))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_sampled_softmax_learns_the_taste_groups_too():
    engine = TwoTowerTrainer().train(taste_groups(), TwoTowerConfig(full_softmax_below=0, sampled_items=3))
    scores = engine.score(request(12, {0: 1.0}))[0]
    assert scores[:6].min() > scores[6:].max()


def test_dense_layers_learn_the_taste_groups_too():
    engine = TwoTowerTrainer().train(taste_groups(with_features=True), TwoTowerConfig(dense_layers=2))
    assert engine.state()["dense_weights"].any()
    scores = engine.score(request(12, {0: 1.0}))[0]
    assert scores[:6].min() > scores[6:].max()


def test_a_dislike_is_no_positive():
    data = taste_groups(4)
    disliked = interactions([(0, 0, 1.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 1.0), (1, 5, -1.0), (2, 7, 1.0)])
    engine = TwoTowerTrainer().train(data.with_interactions(disliked))
    scores = engine.score(request(12, {0: 1.0}))[0]
    assert np.isnan(scores[5])  # nobody liked it and it has no content: nothing is known of it
    assert np.isfinite(scores[7])


@pytest.mark.parametrize("rate", [1e25, 1e38])
def test_a_training_that_diverges_stops_with_one_line(rate):
    with pytest.raises(TrainingError, match=r"diverged in epoch 1 .*lower learning_rate") as caught:
        TwoTowerTrainer().train(taste_groups(), TwoTowerConfig(learning_rate=rate))
    assert "\n" not in str(caught.value)


def test_only_dislikes_are_nothing_to_learn_from():
    with pytest.raises(NotEnoughData):
        TwoTowerTrainer().train(taste_groups(2).with_interactions(interactions([(0, 0, -1.0)])))


@pytest.mark.parametrize("rows", [[(0, 0, 1.0)], [(0, 0, 1.0), (0, 1, 1.0)], [(u, 3, 1.0) for u in range(4)]])
def test_one_user_one_item_and_identical_histories_train(rows):
    engine = TwoTowerTrainer().train(taste_groups(4).with_interactions(interactions(rows)))
    assert np.isfinite(engine.score(request(12, {3: 1.0, 0: 1.0}))).any()


def test_progress_names_epoch_loss_and_validation():
    lines = []
    TwoTowerTrainer().train(
        taste_groups(), TwoTowerConfig(epochs=2), progress=lambda done, total, label: lines.append((done, total, label))
    )
    assert lines[0][:2] == (1, 2)
    assert "loss" in lines[0][2]
    assert "validation ndcg@20" in lines[0][2]


def test_what_validation_withheld_is_learned_in_the_refit():
    labels = []
    TwoTowerTrainer().train(taste_groups(), TwoTowerConfig(epochs=2), progress=lambda *args: labels.append(args[2]))
    assert labels[-1].startswith("refit")


def test_a_spent_time_budget_ends_training_after_one_epoch():
    epochs = []
    config = TwoTowerConfig(time_budget_seconds=1e-6, refit=False)
    TwoTowerTrainer().train(taste_groups(), config, progress=lambda done, *_: epochs.append(done))
    assert epochs == [1, 12]  # one epoch, then the end of the bar


@pytest.mark.parametrize(
    "options", [{"epochs": 0}, {"temperature": 0.0}, {"history_dropout": 1.0}, {"dense_layers": 3}, {"dimension": -1}]
)
def test_senseless_options_are_refused(options):
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        TwoTowerConfig(**options)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_cuda_that_is_not_there_is_refused_in_one_line():
    with pytest.raises(ConfigurationError, match="device=cuda"):
        TwoTowerTrainer().train(taste_groups(), TwoTowerConfig(device="cuda"))


def test_the_pooled_history_of_training_is_the_one_of_serving():
    data = taste_groups()
    users = np.arange(12, dtype=np.int32)
    whole = history_weights(batch_of_users(data, users), 5.0)
    for user in users:
        alone = history_weights(batch_of_users(data, np.array([user], dtype=np.int32)), 5.0)
        np.testing.assert_array_equal(alone.toarray()[0], whole[user].toarray()[0])
