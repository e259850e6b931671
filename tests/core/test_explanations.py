"""What is named as a reason is one: without it, the score falls."""

from __future__ import annotations

import numpy as np
import pytest

from recommender_app.dataset.features import Features
from recommender_app.engines.base import Engine
from recommender_app.engines.batch import RequestBatch
from recommender_app.engines.ensemble import EnsembleEngine
from recommender_app.engines.explanations import NO_ROW, Evidence, from_history, without_each
from recommender_app.exceptions import EngineError
from tests.core.toys import (
    COLOURS,
    GROUP,
    N_ITEMS,
    N_USERS,
    hidden_item,
    history_of,
    liked_items,
    other_group,
    request,
)
from tests.core.trained import ENGINE_KEYS, trained

EXPLAINING = [key for key in ENGINE_KEYS if key != "ensemble" and trained(key).has_explanations]


def ensemble_of(**weights: float) -> EnsembleEngine:
    return EnsembleEngine(weights, N_ITEMS, members={key: trained(key) for key in weights})


def standing(engine: Engine, batch: RequestBatch, item: int) -> float:
    """Return the score above that of the average item: what is added to all alike ranks nothing."""
    scores = engine.score(batch)[0].astype(np.float64)
    return float(scores[item] - np.mean(scores[np.isfinite(scores)])) if np.isfinite(scores[item]) else np.nan


def test_engines_that_learn_from_a_history_explain() -> None:
    assert set(EXPLAINING) >= {"als", "item_knn", "content_based", "two_tower", "item_graph"}
    assert ensemble_of(als=1).has_explanations
    assert not ensemble_of(als=0, popular=1).has_explanations


@pytest.mark.parametrize("key", EXPLAINING)
@pytest.mark.parametrize("user", range(0, N_USERS, 2))
def test_without_the_named_item_the_score_falls(key: str, user: int) -> None:
    engine, item, history = trained(key), hidden_item(user), history_of(user)
    rows = np.array([item], dtype=np.int32)
    ((first, *_),) = engine.explain(request(history), rows, 3)
    assert first.row in history
    assert first.part > 0
    without = {row: weight for row, weight in history.items() if row != first.row}
    assert standing(engine, request(without), item) < standing(engine, request(history), item)


@pytest.mark.parametrize("key", ["content_based", "two_tower"])
@pytest.mark.parametrize("user", range(0, N_USERS, 3))
def test_without_the_named_word_the_score_falls(key: str, user: int) -> None:
    engine, colour = trained(key), COLOURS[user // GROUP]
    item = hidden_item(user)
    said = Features([f"likes {colour}"], [(f"colour={colour}",)])
    ((first, *_),) = engine.explain(request({}, profiles=said), np.array([item]), 3)
    assert first.row == NO_ROW
    assert colour in first.term
    left = Features(
        [text.replace(first.term, "") for text in said.texts],
        [tuple(term for term in terms if colour not in first.term) for terms in said.terms],
    )
    less = standing(engine, request({}, profiles=left), item)
    assert not less >= standing(engine, request({}, profiles=said), item)  # lower, or no opinion any more


@pytest.mark.parametrize("key", [*EXPLAINING, "ensemble"])
def test_nothing_strange_is_an_error(key: str) -> None:
    engine = ensemble_of(als=0.6, two_tower=0.4) if key == "ensemble" else trained(key)
    strange = np.array([-1, N_ITEMS, 10**6, 2], dtype=np.int32)
    of_strange = engine.explain(request(history_of(0)), strange, 2)
    assert [len(found) for found in of_strange[:3]] == [0, 0, 0]
    assert 0 < len(of_strange[3]) <= 2
    assert engine.explain(request({}), strange, 2) == [[]] * 4
    assert engine.explain(request({0: -1.0}), strange, 2) == [[]] * 4
    assert engine.explain(request(history_of(0)), np.empty(0, dtype=np.int32), 2) == []


@pytest.mark.parametrize("key", ["als", "item_knn", "two_tower", "item_graph", "content_based"])
def test_a_disliked_item_is_never_a_reason(key: str) -> None:
    disliked = other_group(0)[0]
    history = {**history_of(0), disliked: -1.0}
    for found in trained(key).explain(request(history), np.arange(N_ITEMS), N_ITEMS):
        assert disliked not in [evidence.row for evidence in found]


@pytest.mark.parametrize(("weights", "loudest"), [((0.9, 0.1), "als"), ((0.1, 0.9), "item_knn"), ((0, 1), "item_knn")])
def test_an_ensemble_says_what_its_loudest_member_says(weights: tuple[float, float], loudest: str) -> None:
    engine = ensemble_of(als=weights[0], item_knn=weights[1], popular=5.0)
    batch, rows = request(history_of(0)), np.array([hidden_item(0)])
    assert engine.explain(batch, rows, 3) == trained(loudest).explain(batch, rows, 3)


def test_an_engine_that_says_the_same_to_everybody_explains_nothing() -> None:
    assert not trained("popular").has_explanations
    with pytest.raises(EngineError, match="explains nothing"):
        trained("popular").explain(request(history_of(0)), np.array([0]), 2)


def test_the_als_parts_add_up_to_the_score() -> None:
    engine = trained("als")
    history = {**history_of(0), other_group(0)[0]: -1.0}
    (found,) = engine.explain(request(history), np.array([hidden_item(0)]), N_ITEMS)
    assert {evidence.row for evidence in found} == set(liked_items(0))
    boost = engine.item_degrees[hidden_item(0)] ** engine.popularity_exponent
    expected = engine.score(request(history))[0, hidden_item(0)] / boost
    np.testing.assert_allclose(sum(evidence.part for evidence in found), expected, rtol=1e-4)


def test_the_largest_positive_parts_are_named_first() -> None:
    parts = np.array([[0.1, -1.0], [0.3, np.nan], [0.2, -2.0]])
    rows = np.array([7, 8, 9], dtype=np.int32)
    assert from_history(rows, parts, 2) == [[Evidence(8, "", 0.3), Evidence(9, "", 0.2)], []]


def test_one_left_out_is_as_if_it_had_never_been_there() -> None:
    vectors = np.eye(3)
    values = np.array([3.0, 4.0, 0.0]) / 5
    np.testing.assert_allclose(without_each(values, vectors), [[0, 1, 0], [1, 0, 0], [0.6, 0.8, 0]], atol=1e-12)
    assert not without_each(np.array([1.0]), np.ones((1, 2))).any()
