"""What the content engine says of new users, new items and strange ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from recommender_app.dataset.features import Features
from recommender_app.engines.content import ContentEngine
from recommender_app.exceptions import EngineError
from tests.core.toys import GROUP, N_GROUPED, N_ITEMS, NEW_ITEM, history_of, item_features, liked_items, request
from tests.core.trained import trained

RED, BLUE = np.arange(GROUP), np.arange(GROUP, N_GROUPED)
STRANGE = {
    "empty": "",
    "one character": "x",
    "one word": "red",
    "Chinese": "红色的苹果",
    "Arabic": "تفاحة حمراء",
    "Thai": "แอปเปิ้ลสีแดง",
    "HTML": "<div onclick='x'>red</div><script>1</script>",
    "megabyte": "red apple " * 100_000,
    "controls": "\0\ud800\uffff red",
}


@pytest.fixture
def engine() -> ContentEngine:
    found = trained("content_based")
    assert isinstance(found, ContentEngine)
    return found


def profile(text: str = "", *terms: str) -> Features:
    return Features([text], [terms])


def mean_by_colour(scores: np.ndarray) -> tuple[float, float]:
    return float(scores[0, RED].mean()), float(scores[0, BLUE].mean())


@pytest.mark.parametrize("said", [("likes red",), ("", "colour=red"), ("red",)])
def test_a_new_user_gets_what_the_profile_asks_for(engine: ContentEngine, said: tuple[str, ...]) -> None:
    red, blue = mean_by_colour(engine.score(request({}, profiles=profile(*said))))
    assert red > blue


def test_nothing_known_of_a_user_is_no_opinion(engine: ContentEngine) -> None:
    assert np.isnan(engine.score(request({}))).all()
    assert np.isnan(engine.score(request({}, profiles=profile()))).all()
    assert np.isnan(engine.score(request({}, profiles=profile("zzz", "shoe size=46")))).all(), "unknown words"


def test_only_dislikes_are_no_history(engine: ContentEngine) -> None:
    assert np.isnan(engine.score(request({0: -1.0}))).all()


def test_a_long_history_outweighs_the_profile_and_a_short_one_does_not(engine: ContentEngine) -> None:
    all_blue = dict.fromkeys(BLUE.tolist(), 1.0)
    red, blue = mean_by_colour(engine.score(request({int(BLUE[0]): 1.0}, profiles=profile("likes red"))))
    assert red > blue
    red, blue = mean_by_colour(engine.score(request(all_blue, profiles=profile("likes red"))))
    assert blue > red


def test_an_item_that_nobody_touched_is_found_by_its_features(engine: ContentEngine) -> None:
    red_fan, blue_fan = engine.score(request(history_of(0), history_of(GROUP)))[:, NEW_ITEM]
    assert red_fan > blue_fan


def test_an_item_newer_than_the_engine_scores_like_one_it_was_trained_with(engine: ContentEngine) -> None:
    batch = request(history_of(0), {}, profiles=Features(["", "likes blue"], [(), ()]))
    features = item_features()
    row = NEW_ITEM
    encoded = engine.encode_items(Features([features.texts[row]], [features.terms[row]]))
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(engine.score_encoded(batch, encoded)[:, 0], engine.score(batch)[:, row], rtol=1e-4)


def test_encoded_items_may_be_stacked_and_chosen(engine: ContentEngine) -> None:
    batch = request(history_of(0))
    encoded = engine.encode_items(Features(["red apple", "blue ball", ""], [(), (), ()]))
    scores = engine.score_encoded(batch, encoded)
    stacked = sparse.vstack([encoded[[1]], encoded[[0]]], format="csr")
    np.testing.assert_allclose(engine.score_encoded(batch, stacked)[0], scores[0, [1, 0]], rtol=1e-5)
    assert np.isnan(scores[0, 2]), "an item of which nothing is known"
    assert engine.score_encoded(batch, engine.encode_items(Features.empty(0))).shape == (1, 0)


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE.keys())
def test_no_text_of_an_item_or_a_profile_is_an_error(engine: ContentEngine, text: str) -> None:
    features = profile(text, text[:50], f"colour={text[:1000]}", "=", "no equals sign")
    assert not np.isinf(engine.score_encoded(request(history_of(0)), engine.encode_items(features))).any()
    assert engine.score(request(history_of(0), profiles=features)).shape == (1, N_ITEMS)


def test_features_that_appear_only_after_training_are_ignored(engine: ContentEngine) -> None:
    known = profile("likes red")
    more = Features(["likes red"], [("height=tall",)], np.array([[1.8]], dtype=np.float32), ("metres",))
    np.testing.assert_allclose(
        engine.score(request({}, profiles=more)), engine.score(request({}, profiles=known)), rtol=1e-5
    )


def test_an_explanation_names_the_shared_words(engine: ContentEngine) -> None:
    (named,) = engine.explain(request({}, profiles=profile("likes red", "colour=red")), np.array([0]), 3)
    assert {"red", "colour=red"} == {evidence.term for evidence in named}
    assert all(evidence.part > 0 for evidence in named)
    assert engine.explain(request({}, profiles=profile("likes red")), np.array([-1]), 3) == [[]]
    assert engine.explain(request({}), np.array([0, 1]), 3) == [[], []]


def test_the_parts_of_an_explanation_add_up_to_the_score(engine: ContentEngine) -> None:
    batch = request(history_of(0))
    explained = engine.explain(batch, np.array([0, NEW_ITEM]), N_ITEMS)
    n = len(liked_items(0))
    share = n**2 / (n**2 + engine.users.half_count**2)
    of_history = [sum(evidence.part for evidence in found) for found in explained]
    mean_user = engine.users.to_unit_deviation(engine.users.profile_map.intercept[np.newaxis, :])[0]
    expected = engine.score(batch)[0, [0, NEW_ITEM]] - (1 - share) * engine.item_vectors[[0, NEW_ITEM]] @ mean_user
    np.testing.assert_allclose(of_history, expected, rtol=1e-3)


def test_an_edited_item_keeps_what_was_learned_and_moves_by_its_words(engine: ContentEngine) -> None:
    batch, rows = request(history_of(0)), np.array([0, GROUP], dtype=np.int32)
    texts, terms = item_features().texts, item_features().terms
    same = engine.encode_items(Features([texts[row] for row in rows], [terms[row] for row in rows]), rows)
    np.testing.assert_allclose(engine.score_encoded(batch, same)[0], engine.score(batch)[0, rows], rtol=1e-4)
    recoloured = engine.encode_items(Features(["red ball"], [("colour=red",)]), rows[1:])
    assert engine.score_encoded(batch, recoloured)[0, 0] > engine.score(batch)[0, GROUP]


def test_items_similar_to_a_new_one_share_its_words(engine: ContentEngine) -> None:
    encoded = engine.encode_items(Features(["blue ball", ""], [("colour=blue",), ()]))
    rows, scores = engine.similar_encoded(encoded, GROUP)
    assert set(rows[0]) == set(BLUE.tolist())
    assert (rows[1] == -1).all()
    assert np.isnan(scores[1]).all()


def test_words_that_most_items_have_tell_nothing(engine: ContentEngine) -> None:
    columns = engine.wording.words.columns_of(["red", "apple"])
    assert not engine.wording.are_common(columns, N_ITEMS).any(), "so few items say nothing about words"
    assert engine.wording.are_common(columns, 100).tolist() == [True, False]
    terms = np.arange(len(engine.wording.words), len(engine.wording))
    assert not engine.wording.are_common(terms, 100).any()


@pytest.mark.parametrize("name", ["item_wording_indices", "profile_columns", "history_map", "words_idf"])
def test_arrays_that_do_not_fit_together_are_refused(engine: ContentEngine, name: str) -> None:
    arrays = engine.state()
    with pytest.raises(EngineError):
        ContentEngine.from_state({**arrays, name: arrays[name][:-1]})


def test_one_user_scores_among_many_as_alone(engine: ContentEngine) -> None:
    histories = [history_of(user) for user in range(N_GROUPED)]
    profiles = Features(["likes red", ""] * GROUP, [("colour=red",), ()] * GROUP)
    many = engine.score(request(*histories, profiles=profiles))
    for user in range(N_GROUPED):
        alone = request(histories[user], profiles=profiles.rows(user, user + 1))
        np.testing.assert_allclose(engine.score(alone)[0], many[user], rtol=1e-5)
        assert engine.score(alone).tobytes() == engine.score(alone, np.arange(N_ITEMS, dtype=np.int32)).tobytes()


def test_the_users_of_a_batch_are_looked_at_once(engine: ContentEngine) -> None:
    batch = request(history_of(0), profiles=profile("likes red"))
    assert engine.view(batch) is engine.view(batch)
    assert engine.view(batch) is not engine.view(request(history_of(0), profiles=profile("likes red")))
    assert batch.rows(0, 1) is batch
