"""Fold-in is what ALS itself would compute for the user's row."""

from __future__ import annotations

import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse

from recommender_app.engines.confidence import Confidence
from recommender_app.engines.factors import FactorEngine
from recommender_app.exceptions import EngineError
from recommender_app.trainers.als import gramian_of
from tests.core.toys import request

N_USERS, N_ITEMS, FACTORS = 20, 15, 4


def engine_of(model: AlternatingLeastSquares, confidence: Confidence, exponent: float = 0.0) -> FactorEngine:
    degrees = np.arange(1, N_ITEMS + 1, dtype=np.float32)
    factors = model.item_factors
    return FactorEngine(factors, gramian_of(factors), degrees, model.regularization, confidence, exponent)


@pytest.fixture(scope="module")
def weights() -> sparse.csr_matrix:
    """Random likes of 0.5 to 3, a fifth of them dislikes; every user has both."""
    rng = np.random.default_rng(1)
    dense = np.where(rng.random((N_USERS, N_ITEMS)) < 0.4, rng.uniform(0.5, 3, (N_USERS, N_ITEMS)), 0)
    dense[rng.random(dense.shape) < 0.2] *= -1
    dense[:, 0], dense[:, 1] = 1.0, -1.0
    return sparse.csr_matrix(dense.astype(np.float32))


@pytest.fixture(scope="module")
def model(weights: sparse.csr_matrix) -> AlternatingLeastSquares:
    fitted = AlternatingLeastSquares(factors=FACTORS, regularization=0.3, iterations=5, num_threads=1, random_state=1)
    fitted.fit(weights, show_progress=False)
    return fitted


@pytest.mark.parametrize("scale", [0.5, 1.0, 40.0])
def test_fold_in_equals_the_exact_solution_of_implicit(
    model: AlternatingLeastSquares, weights: sparse.csr_matrix, scale: float
) -> None:
    engine = engine_of(model, Confidence(scale, 0.5, 0.5))
    confidences = engine.confidence.of(weights, engine.item_degrees)
    expected = model.recalculate_user(np.arange(N_USERS), confidences)
    np.testing.assert_allclose(engine.fold_in(weights), expected, rtol=1e-3, atol=1e-4)


def test_scores_are_inner_products_times_the_popularity_boost(
    model: AlternatingLeastSquares, weights: sparse.csr_matrix
) -> None:
    histories = [dict(zip(row.indices.tolist(), row.data.tolist(), strict=True)) for row in weights]
    batch = request(*histories, n_items=N_ITEMS)
    plain = engine_of(model, Confidence(2.0, 0.0, 0.0))
    boosted = engine_of(model, Confidence(2.0, 0.0, 0.0), exponent=0.5)
    np.testing.assert_allclose(plain.score(batch), plain.fold_in(weights) @ model.item_factors.T, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        boosted.score(batch), plain.score(batch) * np.sqrt(np.arange(1, N_ITEMS + 1)), rtol=1e-4, atol=1e-5
    )


def test_confidence_divides_by_the_square_roots_of_both_degrees() -> None:
    weights = sparse.csr_matrix(np.array([[2.0, 0, 1.0, 0, 1.0, 1.0]], dtype=np.float32))
    degrees = np.array([9, 1, 1, 1, 4, 0], dtype=np.float32)
    # 4 likes: 1 / 2; items of degree 9, 1, 4 and 0 (as 1): 1 / 3, 1, 1 / 2, 1; scale 6.
    assert Confidence(6.0, 0.5, 0.5).of(weights, degrees).data.tolist() == pytest.approx([2.0, 3.0, 1.5, 3.0])


def test_a_dislike_counts_at_least_like_an_item_never_seen() -> None:
    weights = sparse.csr_matrix(np.array([[1.0, -1.0, -10.0]], dtype=np.float32))
    confidences = Confidence(0.5, 0.0, 0.0).of(weights, np.ones(3, dtype=np.float32))
    assert confidences.data.tolist() == [0.5, -1.0, -5.0]


@pytest.mark.parametrize("history", [{}, {3: -1.0}, {3: -1.0, 4: -3.0}], ids=["nothing", "a dislike", "dislikes"])
def test_who_liked_nothing_gets_no_opinion(model: AlternatingLeastSquares, history: dict[int, float]) -> None:
    batch = request(history, {0: 1.0}, n_items=N_ITEMS)
    scores = engine_of(model, Confidence(1.0, 0.5, 0.5)).score(batch)
    assert np.isnan(scores[0]).all()
    assert np.isfinite(scores[1]).all()


def test_an_item_that_nobody_liked_in_training_gets_no_opinion(model: AlternatingLeastSquares) -> None:
    engine = engine_of(model, Confidence(1.0, 0.5, 0.5))
    engine.item_degrees[5] = 0
    assert np.flatnonzero(np.isnan(engine.score(request({0: 1.0}, n_items=N_ITEMS))[0])).tolist() == [5]
    assert 5 not in engine.similar(np.array([0], dtype=np.int32), N_ITEMS)[0]


def test_similar_items_are_ranked_by_cosine() -> None:
    factors = np.array([[1, 0], [10, 1], [0, 1], [-1, 0]], dtype=np.float32)
    engine = FactorEngine(factors, gramian_of(factors), np.ones(4, dtype=np.float32), 1.0, Confidence(1.0, 0.0, 0.0))
    rows, scores = engine.similar(np.array([0], dtype=np.int32), 3)
    assert rows.tolist() == [[1, 2, 3]]
    assert scores[0].tolist() == pytest.approx([10 / np.sqrt(101), 0, -1])


def test_an_empty_catalogue_is_answered_with_nothing() -> None:
    factors = np.empty((0, 2), dtype=np.float32)
    engine = FactorEngine(factors, gramian_of(factors), np.empty(0, dtype=np.float32), 1.0, Confidence(1.0, 0.5, 0.5))
    assert engine.candidates(request({}, n_items=0), 2)[0].tolist() == [[-1, -1]]
    assert engine.similar(np.array([0], dtype=np.int32), 2)[0].tolist() == [[-1, -1]]


def test_arrays_that_do_not_fit_each_other_are_refused(model: AlternatingLeastSquares) -> None:
    state = engine_of(model, Confidence(1.0, 0.5, 0.5)).state()
    with pytest.raises(EngineError, match="do not fit"):
        FactorEngine.from_state({**state, "gramian": np.eye(FACTORS + 1)})
    with pytest.raises(EngineError, match="do not fit"):
        FactorEngine.from_state({**state, "item_degrees": np.ones(3, dtype=np.float32)})
