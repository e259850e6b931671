"""The one ranking function, against the naive sort."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy import sparse

from recommender_app.engines.top_k import top_k
from tests.core.toys import excluding

# Few distinct values, so that ties are the rule.
values = st.sampled_from([-1.5, -0.0, 0.0, 0.25, 3.0, float("nan"), float("inf"), float("-inf")])
scores = st_numpy.arrays(np.float32, st.tuples(st.integers(0, 4), st.integers(0, 9)), elements=values)


def naive(row: np.ndarray, k: int, hidden: set[int]) -> list[int]:
    usable = [column for column in range(len(row)) if np.isfinite(row[column]) and column not in hidden]
    return sorted(usable, key=lambda column: (-row[column], column))[:k]


@given(scores, st.integers(0, 12), st.data())
def test_it_ranks_like_a_naive_sort(matrix: np.ndarray, k: int, data: st.DataObject) -> None:
    b, n = matrix.shape
    hidden = [data.draw(st.sets(st.integers(0, n - 1))) if n else set() for _ in range(b)]
    rows, best = top_k(matrix, k, excluding(*map(list, hidden), n_items=n))
    assert rows.shape == best.shape == (b, k)
    assert rows.dtype == np.int32
    assert best.dtype == np.float32
    for user in range(b):
        expected = naive(matrix[user], k, hidden[user])
        assert rows[user].tolist() == expected + [-1] * (k - len(expected))
        assert np.array_equal(best[user][: len(expected)], matrix[user][expected])
        assert np.isnan(best[user][len(expected) :]).all()


@given(scores)
def test_the_scores_are_left_as_they_were(matrix: np.ndarray) -> None:
    before = matrix.copy()
    top_k(matrix, 3)
    assert np.array_equal(before, matrix, equal_nan=True)


def test_stored_zeros_of_the_exclusion_count() -> None:
    exclude = sparse.csr_matrix((np.zeros(1), [2], [0, 1]), shape=(1, 3))
    assert top_k(np.array([[1, 2, 3]], dtype=np.float32), 2, exclude)[0].tolist() == [[1, 0]]
