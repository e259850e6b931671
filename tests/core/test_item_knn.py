"""Item neighbours: the cosine of who liked what."""

import numpy as np
import pytest

from recommender_app.exceptions import ConfigurationError, EngineError
from recommender_app.trainers import item_knn
from recommender_app.trainers.item_knn import ItemKNNConfig, ItemKNNTrainer
from tests.core.toys import dataset_of, request, table


def train(likes, n_users=4, n_items=4, **config):
    return ItemKNNTrainer().train(dataset_of(table(likes), n_users, n_items), ItemKNNConfig(**config))


def test_the_similarity_is_the_cosine_of_the_likes():
    """Items 0 and 1 share one user; item 0 has one, item 1 has two."""
    engine = train([(0, 0), (0, 1), (1, 1), (2, 2)])
    assert engine.similarities.toarray()[0, 1] == pytest.approx(1 / np.sqrt(2))
    assert engine.similarities.toarray()[0, 2] == 0
    assert engine.similarities.toarray().diagonal().sum() == 0


def test_a_score_is_the_sum_over_the_liked_items():
    engine = train([(0, 0), (0, 1), (0, 2)])
    scores = engine.score(request({0: 1.0, 1: 9.0}, {0: 1.0, 1: -1.0}, n_items=4))
    assert scores[0, 2] == pytest.approx(2.0)
    assert scores[1, 2] == pytest.approx(1.0), "a disliked item recommends nothing"


def test_only_the_nearest_are_kept_and_the_lower_item_of_equals():
    engine = train([(0, 0), (0, 1), (0, 2), (0, 3)], neighbours=1)
    assert engine.similarities.getnnz(axis=1).tolist() == [1, 1, 1, 1]
    assert engine.similarities.indices.tolist() == [1, 0, 0, 0]


def test_blocks_change_nothing(monkeypatch):
    likes = [(user, item) for user in range(4) for item in range(4) if (user + item) % 3]
    whole = train(likes)
    monkeypatch.setattr(item_knn, "BLOCK_CELLS", 4)
    assert np.array_equal(train(likes).similarities.toarray(), whole.similarities.toarray())


def test_items_and_users_without_likes_get_no_opinion():
    engine = train([(0, 0), (0, 1), (1, 2)])
    scores = engine.score(request({0: 1.0}, {2: 1.0}, {}, n_items=4))
    assert np.isnan(scores[0]).tolist() == [False, False, False, True]
    assert np.isnan(scores[1:]).all(), "a liked item without neighbours knows nothing"


def test_no_neighbours_at_all_is_refused():
    with pytest.raises(ConfigurationError, match="neighbours=0"):
        ItemKNNConfig(neighbours=0)


def test_damaged_neighbours_are_refused():
    state = train([(0, 0), (0, 1)]).state()
    state["similarities_indices"] = state["similarities_indices"] + 99
    with pytest.raises(EngineError, match="damaged"):
        type(train([(0, 0), (0, 1)])).from_state(state)
