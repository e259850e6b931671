"""Fusing a pool of the members' best items, beside fusing the whole catalogue."""

from __future__ import annotations

import numpy as np
import pytest

from recommender_app.engines import ensemble as ensemble_module
from recommender_app.engines.base import Engine
from recommender_app.engines.confidence import Confidence
from recommender_app.engines.ensemble import EnsembleEngine
from recommender_app.engines.factors import FactorEngine
from recommender_app.engines.fusion import Fusion
from recommender_app.engines.index import ItemIndex, SearchPlan
from recommender_app.engines.pool_fusion import pool_depth, pooled_candidates
from recommender_app.engines.popularity import PopularityEngine
from recommender_app.trainers.als import gramian_of
from recommender_app.trainers.index import train_ivf
from tests.core.toys import excluding, request

N = 2000
HISTORIES = ({5: 1.0, 70: 2.0, 900: 1.0, 901: -1.0}, {0: 1.0, 1: 1.0}, {})
HIDDEN = ([5, 70, 3, 1999], [], [10, 11])


def members() -> dict[str, Engine]:
    rng = np.random.default_rng(3)
    factors = rng.standard_normal((N, 16)).astype(np.float32)
    degrees = rng.integers(0, 5, N).astype(np.float32)  # a fifth of the items has none: no opinion
    als = FactorEngine(factors, gramian_of(factors), degrees, 1.0, Confidence(1.0, 0.0, 0.0))
    popular = PopularityEngine(rng.integers(1, 300, N).astype(np.float32))  # many ties
    return {"als": als, "popular": popular}


def with_index(engine: FactorEngine) -> FactorEngine:
    vectors, is_indexed = engine.index_vectors()
    norm = float(np.linalg.norm(vectors, axis=1).max())
    index = train_ivf(vectors, np.flatnonzero(is_indexed), norm, seed=1)
    plan = SearchPlan(index.nlist, index.nlist, norm)
    return engine.with_index(ItemIndex(lambda: index, plan))


@pytest.mark.parametrize("fusion", ["weighted", "rrf", "hybrid"])
@pytest.mark.parametrize(("depth", "n_proposed"), [(0, N), (30, 30), (30, 100)])
def test_a_pool_that_is_deep_enough_gives_the_list_of_full_fusion(fusion: Fusion, depth: int, n_proposed: int) -> None:
    known, batch, exclude = members(), request(*HISTORIES, n_items=N), excluding(*HIDDEN, n_items=N)
    whole = EnsembleEngine({"als": 0.7, "popular": 0.3}, N, fusion, depth, known)
    k = 20
    expected_rows, expected = whole.candidates(batch, k, exclude)
    for als in (known["als"], with_index(known["als"])):  # type: ignore[arg-type]
        counted = [(0.7, als), (0.3, known["popular"])]
        rows, scores = pooled_candidates(counted, fusion, depth, batch, k, exclude, n_proposed)
        assert np.array_equal(rows, expected_rows)
        np.testing.assert_allclose(scores, expected, rtol=1e-4)


def test_what_no_member_proposes_is_not_in_the_list() -> None:
    known, batch = members(), request(*HISTORIES, n_items=N)
    rows, _ = pooled_candidates([(1.0, known["popular"])], "weighted", 0, batch, 50, None, 8)
    for user, history in enumerate(HISTORIES):
        proposed = rows[user][rows[user] >= 0]
        assert 8 <= len(proposed) <= 8 + len(history)


def test_large_catalogues_are_fused_over_a_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble_module, "POOL_MIN_ITEMS", N)
    known, batch = members(), request(*HISTORIES, n_items=N)
    ensemble = EnsembleEngine({"als": 0.7, "popular": 0.3}, N, members=known)
    counted = [(0.7, known["als"]), (0.3, known["popular"])]
    expected = pooled_candidates(counted, "weighted", 0, batch, 10, None, pool_depth(10, 0))
    rows, scores = ensemble.candidates(batch, 10)
    assert np.array_equal(rows, expected[0])
    assert np.array_equal(scores, expected[1])
    assert set(rows[1].tolist()) & set(ensemble.score(batch).argsort(axis=1)[1, -20:].tolist())


def test_an_ensemble_without_members_proposes_nothing_however_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble_module, "POOL_MIN_ITEMS", 1)
    rows, _ = EnsembleEngine({"als": 1.0}, N).candidates(request({}, n_items=N), 3)
    assert rows.tolist() == [[-1, -1, -1]]


@pytest.mark.parametrize(("k", "depth", "expected"), [(10, 0, 1000), (400, 0, 4000), (10, 2500, 2500)])
def test_the_pool_is_many_times_as_deep_as_the_list_and_as_deep_as_the_recipe(
    k: int, depth: int, expected: int
) -> None:
    assert pool_depth(k, depth) == expected
