from __future__ import annotations

import numpy as np
import pytest

from recommender_app.dataset.features import Features
from recommender_app.engines.batch import batch_of_users
from recommender_app.engines.two_tower import TwoTowerEngine
from recommender_app.exceptions import EngineError
from recommender_app.trainers.two_tower import TwoTowerTrainer
from tests.core.two_tower_toys import N_PER_GROUP, request, taste_groups


@pytest.fixture(scope="module")
def plain() -> TwoTowerEngine:
    return TwoTowerTrainer().train(taste_groups())


@pytest.fixture(scope="module")
def described() -> TwoTowerEngine:
    return TwoTowerTrainer().train(taste_groups(with_features=True, cold_items=4))


def test_the_hidden_item_of_the_own_group_comes_first(plain):
    data = taste_groups()
    rows, _ = plain.candidates(batch_of_users(data, np.arange(12, dtype=np.int32)), 1, data.matrix)
    hidden = [(user % 2) * N_PER_GROUP + (user // 2) % N_PER_GROUP for user in range(12)]
    assert rows[:, 0].tolist() == hidden


def test_a_fresh_click_turns_an_unknown_user_to_the_other_group(plain):
    cats = plain.score(request(12, {0: 1.0}))[0]
    dogs = plain.score(request(12, {6: 1.0}))[0]
    assert cats[:6].mean() > cats[6:].mean()
    assert dogs[6:].mean() > dogs[:6].mean()


def test_a_user_with_neither_history_nor_profile_gets_no_opinion(plain, described):
    assert np.all(np.isnan(plain.score(request(12, {}))))
    assert np.all(np.isnan(plain.score(request(12, {3: -1.0}))))
    assert np.all(np.isnan(described.score(request(16, {}, profiles=Features([""], [("owns=newt",)])))))


def test_a_profile_alone_is_enough_where_profiles_were_learned(described):
    scores = described.score(request(16, {}, profiles=Features([""], [("owns=dog",)])))[0]
    assert scores[6:12].min() > scores[:6].max()


def test_items_nobody_has_seen_are_found_by_their_content(described):
    scores = described.score(request(16, {0: 1.0, 1: 1.0}))[0]
    assert min(scores[12], scores[14]) > max(scores[13], scores[15])


def test_an_item_nobody_has_seen_does_not_push_away_proven_ones(described):
    scores = described.score(request(16, {0: 1.0, 1: 1.0}))[0]
    assert scores[12] < scores[2:6].min()
    assert described.state()["item_offsets"].tolist() == [0.0] * 12 + [described.arrays.new_item_offset] * 4


def test_new_items_are_encoded_from_features_alone(described):
    new = described.encode_items(Features(["A cat", "A dog", "A newt"], [("topic=cat",), ("topic=dog",), ()]))
    cat_person = described.user_vectors(request(16, {0: 1.0, 2: 1.0}))
    cat, dog = (new[:2] @ cat_person[0]).tolist()
    assert cat > dog
    np.testing.assert_allclose(np.linalg.norm(new[:2], axis=1), 1.0, rtol=1e-5)
    assert np.all(np.isnan(new[2]))


def test_an_item_without_interactions_and_content_gets_no_opinion():
    engine = TwoTowerTrainer().train(taste_groups(cold_items=1))
    scores = engine.score(request(13, {0: 1.0}))[0]
    assert np.isnan(scores[12])
    assert np.all(np.isfinite(scores[:12]))


def test_similar_items_are_of_the_same_group_and_never_the_item_itself(plain):
    rows, scores = plain.similar(np.array([0, 7, -1, 99], dtype=np.int32), 5)
    assert set(rows[0].tolist()) == {1, 2, 3, 4, 5}
    assert set(rows[1].tolist()) == {6, 8, 9, 10, 11}
    assert np.all(rows[2:] == -1)
    assert np.all(np.isnan(scores[2:]))


def test_scores_are_cosines(plain):
    scores = plain.score(batch_of_users(taste_groups(), np.arange(4, dtype=np.int32)))
    assert np.all(np.abs(scores) <= 1.0 + 1e-6)


def test_a_state_round_trip_gives_the_same_scores(described):
    copy = TwoTowerEngine.from_state(described.state())
    batch = request(16, {0: 1.0, 9: 2.0}, {0: 3.0, 9: 0.0}, Features(["dog"], [("owns=cat",)]))
    np.testing.assert_array_equal(copy.score(batch), described.score(batch))


@pytest.mark.parametrize("name", ["item_vectors", "history_vectors", "content_vectors", "dense_biases", "content_idf"])
def test_a_damaged_state_is_refused(described, name):
    state = described.state()
    with pytest.raises(EngineError, match=name):
        TwoTowerEngine.from_state({key: array for key, array in state.items() if key != name})
    wrong = np.zeros(tuple(size + 1 for size in state[name].shape), dtype=np.float32)
    with pytest.raises(EngineError):
        TwoTowerEngine.from_state(state | {name: wrong})
