"""Numbers, ridge regression and feature maps of the content engine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recommender_app.dataset.features import Features
from recommender_app.engines.content_features import FeatureMap, Standardizer
from recommender_app.trainers.content import learn_map
from recommender_app.trainers.ridge import ridge


def numbered(*rows: tuple[float, ...], names: tuple[str, ...] = ("price", "year")) -> Features:
    return Features([""] * len(rows), [()] * len(rows), np.array(rows, dtype=np.float32), names)


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 8), st.floats(0.1, 10), st.integers(0, 1000))
def test_ridge_is_the_exact_solution(n: int, c: int, penalty: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    features = (random.random((n, c)) * (random.random((n, c)) < 0.5)).astype(np.float32)
    targets = random.normal(size=(n, 3)).astype(np.float32)
    exact = np.linalg.solve(features.T @ features + penalty * np.eye(c), features.T @ targets)
    found = ridge(sparse.csr_matrix(features), targets, penalty, tolerance=1e-5)
    np.testing.assert_allclose(found, exact, atol=1e-3)


def test_numbers_are_standardised_and_unknown_ones_say_nothing() -> None:
    features = numbered((1, 5), (3, 5), (np.nan, 5))
    standardizer = Standardizer.fit(features)
    assert standardizer.names.tolist() == [b"price"], "a number that never differs is left out"
    assert standardizer.encode(features).tolist() == [[-1, 0], [1, 0], [0, 0]]


def test_an_absurd_number_is_cut() -> None:
    standardizer = Standardizer.fit(numbered((1, 5), (3, 5)))
    assert standardizer.encode(numbered((1e30, 0), (np.inf, 0))).tolist() == [[3, 8], [0, 0]]


def test_numbers_are_found_by_name_in_any_order() -> None:
    standardizer = Standardizer.fit(numbered((1, 5), (3, 7)))
    swapped = numbered((7, 1), names=("year", "price"))
    assert standardizer.encode(swapped).tolist() == standardizer.encode(numbered((1, 7))).tolist()
    assert standardizer.encode(Features.empty(2)).tolist() == [[0] * 4] * 2


def test_a_map_learns_what_goes_with_a_word() -> None:
    wording = sparse.csr_matrix(np.eye(3, dtype=np.float32)[[0, 0, 1, 1]])
    targets = np.array([[1], [1], [-1], [-1]], dtype=np.float32)
    nothing = Standardizer.fit(Features.empty(4))
    learned = learn_map(wording, np.zeros((4, 0), np.float32), nothing, targets, np.ones(4, dtype=bool), 0.01)
    said = learned.apply(sparse.csr_matrix(np.eye(3, dtype=np.float32)), np.zeros((3, 0), np.float32))
    assert said[:, 0] == pytest.approx([1, -1, 0], abs=0.02), "a column without any example says nothing"
    assert learned.columns.tolist() == [0, 1]


def test_a_map_of_nothing_is_zero() -> None:
    nothing = Standardizer.fit(Features.empty(2))
    zero = FeatureMap.zeros(nothing, 4)
    assert not zero.apply(sparse.csr_matrix((2, 7), dtype=np.float32), np.zeros((2, 0), np.float32)).any()
