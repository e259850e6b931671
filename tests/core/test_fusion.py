"""The arithmetic of the ensemble, with numbers a child can check."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from recommender_app.engines.ensemble import EnsembleEngine
from recommender_app.engines.fusion import normalise
from recommender_app.engines.popularity import PopularityEngine
from recommender_app.exceptions import EngineError
from tests.core.toys import N_ITEMS, request

NOTHING = sparse.csr_matrix((1, 4), dtype=np.float32)
NAN = np.nan


def row(*scores: float) -> np.ndarray:
    return np.array([scores], dtype=np.float32)


def history(*items: int) -> sparse.csr_matrix:
    places = ([0] * len(items), list(items))
    return sparse.csr_matrix((np.ones(len(items), dtype=np.float32), places), shape=(1, 4))


def test_min_max_puts_the_worst_at_0_and_the_best_at_1():
    assert normalise(row(2, 4, 3, 6), NOTHING, "weighted", 0)[0].tolist() == [0, 0.5, 0.25, 1]


def test_equal_scores_are_all_worth_1():
    assert normalise(row(5, 5, 5, 5), NOTHING, "weighted", 0)[0].tolist() == [1, 1, 1, 1]


def test_no_opinion_is_worth_nothing():
    assert normalise(row(NAN, 4, 2, NAN), NOTHING, "weighted", 0)[0].tolist() == [0, 1, 0, 0]
    assert normalise(row(NAN, NAN, NAN, NAN), NOTHING, "hybrid", 0)[0].tolist() == [0, 0, 0, 0]


def test_the_history_does_not_set_the_scale():
    """Item 0 was seen and scores 100: the others are compared among themselves."""
    assert normalise(row(100, 4, 2, 3), history(0), "weighted", 0)[0].tolist() == [1, 1, 0, 0.5]


def test_items_below_the_depth_count_as_not_proposed():
    assert normalise(row(4, 3, 2, 1), NOTHING, "weighted", 2)[0].tolist() == [1, 0, 0, 0]
    assert np.count_nonzero(normalise(row(4, 3, 2, 1), NOTHING, "rrf", 2)) == 2


def test_reciprocal_ranks_start_at_1_and_fall():
    worth = normalise(row(7, 9, 8, NAN), NOTHING, "rrf", 0)[0]
    assert worth.tolist() == pytest.approx([61 / 63, 1, 61 / 62, 0])


def test_hybrid_is_half_of_each():
    scores = row(2, 4, 3, 6)
    halves = [normalise(scores, NOTHING, fusion, 0) for fusion in ("weighted", "rrf")]
    assert normalise(scores, NOTHING, "hybrid", 0) == pytest.approx(np.mean(halves, axis=0))


def popular(*counts: float) -> PopularityEngine:
    return PopularityEngine(np.array(counts, dtype=np.float32))


def test_weights_decide_whose_favourite_comes_first():
    up, down = popular(*range(N_ITEMS)), popular(*reversed(range(N_ITEMS)))
    for weights, first in (({"up": 0.6, "down": 0.4}, N_ITEMS - 1), ({"up": 0.4, "down": 0.6}, 0)):
        ensemble = EnsembleEngine(weights, N_ITEMS, members={"up": up, "down": down})
        assert ensemble.candidates(request({}), 1)[0][0, 0] == first


def test_a_missing_member_is_left_out():
    whole = EnsembleEngine({"up": 0.6, "gone": 0.4}, N_ITEMS).bind({"up": popular(*range(N_ITEMS))})
    assert whole.candidates(request({}), 2)[0][0].tolist() == [N_ITEMS - 1, N_ITEMS - 2]


def test_without_members_there_is_no_opinion():
    assert np.isnan(EnsembleEngine({"up": 1.0}, N_ITEMS).score(request({}))).all()


@pytest.mark.parametrize("weights", [{}, {"up": 0.0}, {"up": -1.0, "down": 2.0}, {"up": float("inf")}])
def test_weights_without_sense_are_refused(weights):
    with pytest.raises(EngineError):
        EnsembleEngine(weights, N_ITEMS)


def test_members_of_different_catalogues_are_refused():
    recipe = EnsembleEngine({"up": 0.5, "down": 0.5}, 3)
    with pytest.raises(EngineError, match="row space"):
        recipe.bind({"up": popular(1, 2, 3), "down": popular(1, 2)})
