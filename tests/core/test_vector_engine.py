"""Engines of inner products: the same lists whether all items are scored or an index is asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy import sparse

from recommender_app.engines.base import Scores
from recommender_app.engines.confidence import Confidence
from recommender_app.engines.factors import FactorEngine
from recommender_app.engines.index import ItemIndex, SearchPlan
from recommender_app.engines.top_k import top_k
from recommender_app.engines.vector_engine import VectorEngine
from recommender_app.trainers.index import train_ivf
from tests.core.toys import excluding

N, D = 3000, 8
rng = np.random.default_rng(5)
ITEMS = rng.standard_normal((N, D)).astype(np.float32)
USERS = rng.standard_normal((6, D)).astype(np.float32)


def engine(factors: np.ndarray = ITEMS, degrees: np.ndarray | None = None, exponent: float = 0.0) -> FactorEngine:
    degrees = np.ones(len(factors), dtype=np.float32) if degrees is None else degrees
    return FactorEngine(factors, np.eye(factors.shape[1]), degrees, 1.0, Confidence(1.0, 0.0, 0.0), exponent)


def indexed(plain: VectorEngine, nprobe: int | None = None) -> VectorEngine:
    """Return the engine with an index that searches ``nprobe`` cells, all if None."""
    vectors, is_indexed = plain.index_vectors()
    norm = float(np.linalg.norm(vectors, axis=1).max())
    index = train_ivf(vectors, np.flatnonzero(is_indexed), norm, seed=1)
    return plain.with_index(ItemIndex(lambda: index, SearchPlan(index.nlist, nprobe or index.nlist, norm)))


class Counted(FactorEngine):
    """Counts how often all items are scored."""

    calls = 0

    def score_all(self, queries: np.ndarray) -> Scores:
        type(self).calls += 1
        return super().score_all(queries)


few = st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0])  # so that ties are the rule
matrices = partial(st_numpy.arrays, np.float32, elements=few)


@settings(deadline=None)
@given(st.data(), st.integers(0, 12), st.integers(0, 40))
def test_candidates_are_the_naive_sort_of_the_scores(data: st.DataObject, n: int, k: int) -> None:
    factors, users = data.draw(matrices((n, 2))), data.draw(matrices((3, 2)))
    degrees = data.draw(st_numpy.arrays(np.float32, n, elements=st.sampled_from([0.0, 1.0, 4.0])))
    hidden = [sorted(data.draw(st.sets(st.integers(0, n - 1)))) if n else [] for _ in users]
    mine = engine(factors, degrees, exponent=0.5)
    rows, scores = mine.nearest(users, k, excluding(*hidden, n_items=n))
    for user in range(len(users)):
        expected = (factors @ users[user]) * np.sqrt(degrees)
        allowed = [row for row in range(n) if row not in hidden[user] and degrees[row] > 0]
        ranked = sorted(allowed, key=lambda row: (-expected[row], row))[:k]
        assert rows[user].tolist() == ranked + [-1] * (k - len(ranked))
        np.testing.assert_allclose(scores[user][: len(ranked)], expected[ranked], rtol=1e-6)


def test_large_catalogues_are_ranked_like_small_ones() -> None:
    factors = np.round(rng.standard_normal((20_000, 2)) * 4).astype(np.float32)  # many ties
    many = engine(factors)
    users = np.array([[1.0, 2.0], [-1.0, 0.5], [0.0, 0.0]], dtype=np.float32)
    rows, scores = many.nearest(users, 150)
    for user, exact in enumerate(many.score_all(users)):
        ranked = np.lexsort((np.arange(len(exact)), -exact))[:150]
        assert np.array_equal(rows[user], ranked)
        assert np.array_equal(scores[user], exact[ranked])


@pytest.mark.parametrize("exponent", [0.0, 0.5])
def test_an_exhaustive_index_gives_the_exact_list(exponent: float) -> None:
    degrees = np.arange(N, dtype=np.float32) % 50
    plain = engine(ITEMS, degrees, exponent)
    hidden = sparse.random_array((6, N), density=0.02, format="csr", rng=np.random.default_rng(1), dtype=np.float32)
    hidden = sparse.csr_matrix(hidden)
    assert len(USERS) < 8, "more at once are not searched"
    expected_rows, expected = plain.nearest(USERS, 100, hidden)
    rows, scores = indexed(plain).nearest(USERS, 100, hidden)
    assert np.array_equal(rows, expected_rows)
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


def test_a_list_that_half_precision_cannot_prove_is_scored_in_full() -> None:
    same = np.tile(ITEMS[:1], (N, 1)) * np.linspace(1, 1.00001, N, dtype=np.float32)[:, None]
    plain = Counted(same, np.eye(D), np.ones(N, dtype=np.float32), 1.0, Confidence(1.0, 0.0, 0.0))
    user = ITEMS[:1]
    expected = top_k(user @ same.T, 20)[0]
    Counted.calls = 0
    assert np.array_equal(indexed(plain).nearest(user, 20)[0], expected)
    assert Counted.calls == 1


@pytest.mark.parametrize(
    ("k", "hide", "n_full"),
    [(20, 0, 0), (20, 500, 0), (20, 590, 1), (601, 0, 1)],
    ids=["few", "many hidden", "too many hidden", "a fifth of all"],
)
def test_all_items_are_scored_only_where_the_index_is_no_help(k: int, hide: int, n_full: int) -> None:
    plain = Counted(ITEMS, np.eye(D), np.ones(N, dtype=np.float32), 1.0, Confidence(1.0, 0.0, 0.0))
    best = top_k(USERS[:1] @ ITEMS.T, k + hide)[0][0]
    hidden = excluding(best[:hide].tolist(), n_items=N)
    quick = indexed(plain)
    Counted.calls = 0
    rows, _ = quick.nearest(USERS[:1], k, hidden)
    assert rows[0].tolist() == best[hide:].tolist()
    assert Counted.calls == n_full


@pytest.mark.parametrize(("nprobe", "n_full"), [(None, 1), (8, 0)], ids=["all cells", "a seventh of them"])
def test_many_who_ask_at_once_are_scored_in_full_unless_little_is_searched(nprobe: int | None, n_full: int) -> None:
    plain = Counted(ITEMS, np.eye(D), np.ones(N, dtype=np.float32), 1.0, Confidence(1.0, 0.0, 0.0))
    quick = indexed(plain, nprobe)
    Counted.calls = 0
    assert (quick.nearest(ITEMS[:20], 10)[0] >= 0).all()
    assert Counted.calls == n_full


def test_too_few_found_in_the_searched_cells_is_made_up_for() -> None:
    plain = engine()
    vectors, _ = plain.index_vectors()
    norm = float(np.linalg.norm(vectors, axis=1).max())
    index = train_ivf(vectors, np.arange(0, N, 60), norm, seed=1)  # 50 items: an index that knows too little
    poor = plain.with_index(ItemIndex(lambda: index, SearchPlan(index.nlist, index.nlist, norm)))
    assert np.array_equal(poor.nearest(USERS, 90)[0], plain.nearest(USERS, 90)[0])


def test_an_index_may_miss_items_but_neither_misjudges_nor_misplaces_one() -> None:
    plain = engine()
    rows, scores = indexed(plain, nprobe=8).nearest(USERS, 50)
    exact = plain.score_all(USERS)
    for user in range(len(USERS)):
        assert len(set(rows[user].tolist())) == 50
        np.testing.assert_allclose(scores[user], exact[user][rows[user]], rtol=1e-5)
        assert (np.diff(scores[user]) <= 0).all()


def test_equal_items_come_by_row_out_of_an_index_too() -> None:
    factors = np.tile(ITEMS[:300], (10, 1))
    rows, scores = indexed(engine(factors)).nearest(USERS, 45)
    for user in range(len(USERS)):
        pairs = list(zip(-scores[user], rows[user], strict=True))
        assert pairs == sorted(pairs)


def test_a_user_without_an_opinion_gets_an_empty_list_through_an_index() -> None:
    users = np.stack((USERS[0], np.full(D, np.nan, dtype=np.float32)))
    rows, scores = indexed(engine()).nearest(users, 5)
    assert (rows[0] >= 0).all()
    assert (rows[1] == -1).all()
    assert np.isnan(scores[1]).all()


@pytest.mark.parametrize("wrap", [engine, lambda: indexed(engine())], ids=["plain", "indexed"])
def test_nobody_asking_and_nothing_asked_for_are_answered(wrap: Callable[[], VectorEngine]) -> None:
    assert wrap().nearest(USERS[:0], 5)[0].shape == (0, 5)
    assert wrap().nearest(USERS, 0)[0].shape == (6, 0)
