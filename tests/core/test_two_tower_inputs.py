from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.dataset.features import Features
from recommender_app.engines.two_tower_inputs import FeatureEncoder, history_weights, tokens_of
from recommender_app.exceptions import EngineError
from recommender_app.trainers.two_tower_features import fit_encoder
from tests.core.two_tower_toys import request


def test_equal_likes_are_pooled_as_the_sum_over_the_root_of_their_number():
    weights = history_weights(request(5, {0: 2.0, 2: 2.0, 3: 2.0, 4: 2.0}), 0.0)
    assert weights.toarray().tolist() == [[0.5, 0.0, 0.5, 0.5, 0.5]]


def test_a_dislike_counts_nothing_in_the_history():
    assert history_weights(request(3, {0: 1.0, 1: -3.0}), 0.0).toarray().tolist() == [[1.0, 0.0, 0.0]]


def test_an_older_like_counts_half_after_one_half_life():
    weights = history_weights(request(2, {0: 1.0, 1: 1.0}, {0: 30.0, 1: 0.0}), 30.0).toarray()[0]
    assert weights[0] / weights[1] == pytest.approx(0.5)


def test_a_user_who_was_away_for_years_keeps_the_whole_history():
    recent = history_weights(request(2, {0: 1.0, 1: 1.0}, {0: 3.0, 1: 0.0}), 7.0)
    away = history_weights(request(2, {0: 1.0, 1: 1.0}, {0: 100_003.0, 1: 100_000.0}), 7.0)
    np.testing.assert_allclose(away.toarray(), recent.toarray(), rtol=1e-3)


def test_markup_is_no_word_and_a_script_without_spaces_becomes_pairs():
    assert set(tokens_of("<p class='x'>A fine Cat</p>", ())) == {"fine", "cat"}
    assert set(tokens_of("黑猫书", ("topic=cat",))) == {"黑猫", "猫书", "topic=cat"}


def test_only_the_start_of_an_endless_text_is_read():
    assert tokens_of("cat " * 1_000_000, ()) == {"cat": 5000}


def test_features_that_appear_after_training_say_nothing():
    encoder = fit_encoder(Features(["cat", "cat", "dog", "dog"], [()] * 4), 10)
    encoded = encoder.encode(Features(["unicorn", "cat unicorn", ""], [("topic=new",), (), ()]))
    assert np.diff(encoded.indptr).tolist() == [0, 1, 0]


def test_numbers_are_found_by_name_and_unknown_ones_are_zero():
    numbers = np.array([[1.0], [3.0]], dtype=np.float32)
    encoder = fit_encoder(Features(["", ""], [(), ()], numbers, ("price",)), 10)
    other = np.array([[9.0, 3.0], [9.0, np.nan]], dtype=np.float32)
    encoded = encoder.encode(Features(["", ""], [(), ()], other, ("size", "price")))
    assert encoded.toarray().tolist() == [[1.0], [0.0]]


def test_the_vocabulary_keeps_the_most_frequent_words():
    features = Features(["cat dog", "cat dog", "cat bird", "bird", "cat"], [()] * 5)
    assert fit_encoder(features, 1).vocabulary.tolist() == ["cat"]
    assert fit_encoder(features, 9).vocabulary.tolist() == ["bird", "cat", "dog"]


@given(st.lists(st.text(max_size=30), min_size=1, max_size=6))
def test_any_text_becomes_rows_of_length_one_or_zero(texts):
    features = Features(texts, [()] * len(texts))
    encoder = fit_encoder(Features(texts * 2, [()] * (2 * len(texts))), 50)
    lengths = np.linalg.norm(encoder.encode(features).toarray(), axis=1)
    assert np.all(np.isclose(lengths, 1.0, atol=1e-5) | (lengths == 0.0))


def test_an_encoder_of_unequal_arrays_is_refused():
    state = fit_encoder(Features(["cat", "cat"], [(), ()]), 5).state("content")
    with pytest.raises(EngineError, match="content_vocabulary"):
        FeatureEncoder.from_state(state | {"content_idf": np.ones(3, dtype=np.float32)}, "content")
