"""The parts that the item graph is trained from, against their definitions in dense numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recommender_app.exceptions import ConfigurationError, TrainingError
from recommender_app.trainers import neighbours
from recommender_app.trainers.base import silent
from recommender_app.trainers.item_graph import ItemGraphConfig, ItemGraphTrainer
from recommender_app.trainers.neighbours import normalised, strongest_links, strongest_of_dense
from recommender_app.trainers.spectral import leading_vectors
from tests.core.toys import NEW_ITEM, two_tastes


def likes(n_users: int, n_items: int, seed: int) -> sparse.csr_matrix:
    chosen = np.random.default_rng(seed).random((n_users, n_items)) < 0.3
    return sparse.csr_matrix(chosen.astype(np.float32))


def test_normalised_weighs_users_and_items_by_their_degrees() -> None:
    liked = sparse.csr_matrix(np.array([[1, 1, 0], [1, 0, 0]], dtype=np.float32))
    expected = [[2**-0.5 * 2**-1.0, 2**-0.5, 0], [2**-1.0, 0, 0]]
    np.testing.assert_allclose(normalised(liked, -0.5, -1.0).toarray(), expected, rtol=1e-6)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 12), st.integers(1, 15), st.integers(1, 16), st.integers(0, 2**16))
def test_each_column_keeps_its_largest_products(n_users: int, n_items: int, keep: int, seed: int) -> None:
    matrix = normalised(likes(n_users, n_items, seed), -0.25, -0.5)
    whole = (matrix.T @ matrix).toarray()
    np.fill_diagonal(whole, 0)
    pruned = strongest_links(matrix, keep, silent).toarray()
    for column in range(n_items):
        kept = np.sort(pruned[:, column][pruned[:, column] != 0])[::-1]
        np.testing.assert_allclose(kept, np.sort(whole[whole[:, column] != 0, column])[::-1][:keep], rtol=1e-5)
        linked = pruned[:, column] != 0
        np.testing.assert_allclose(pruned[linked, column], whole[linked, column], rtol=1e-5)


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = normalised(likes(20, 15, 1), -0.25, -0.5)
    whole = strongest_links(matrix, 4, silent).toarray()
    monkeypatch.setattr(neighbours, "_ENTRIES_PER_BLOCK", 31)
    np.testing.assert_array_equal(strongest_links(matrix, 4, silent).toarray(), whole)


def test_a_row_keeps_its_largest_magnitudes_whatever_the_sign() -> None:
    weights = np.array([[0.1, -3, 2, 0], [0, 0, 0, 1]], dtype=np.float32)
    np.testing.assert_array_equal(strongest_of_dense(weights, 2).toarray(), [[0, -3, 2, 0], [0, 0, 0, 1]])


def test_leading_vectors_span_what_the_exact_decomposition_spans() -> None:
    matrix = likes(200, 60, 3)
    ours = leading_vectors(matrix, 5, seed=0)
    _, _, exact = np.linalg.svd(matrix.toarray(), full_matrices=False)
    np.testing.assert_allclose(ours.T @ ours, np.eye(5), atol=1e-4)
    np.testing.assert_allclose(np.abs(exact[:5] @ ours), np.eye(5), atol=1e-2)


def test_leading_vectors_stop_at_the_rank() -> None:
    matrix = sparse.csr_matrix(np.ones((6, 4), dtype=np.float32))
    np.testing.assert_allclose(leading_vectors(matrix, 3, seed=0), np.full((4, 1), 0.5), atol=1e-5)
    assert leading_vectors(matrix, 0, seed=0).shape == (4, 0)


def test_ease_solves_its_equations() -> None:
    """B = I - P diag(1/diag P), P the inverse of the user-normalised Gram plus lambda (Steck 2019, eq. 8)."""
    liked = (two_tastes().positives > 0).astype(np.float64).toarray()
    gram = liked.T @ np.diag(5**-0.5 * np.ones(len(liked))) @ liked
    gram[np.diag_indices_from(gram)] += 2.0 * gram.diagonal().mean()
    inverse = np.linalg.inv(gram)
    expected = -inverse / inverse.diagonal()[None, :] * 5**0.25
    np.fill_diagonal(expected, 0)
    config = ItemGraphConfig(method="ease", regularization=2.0)
    state = ItemGraphTrainer().train(two_tastes(), config).state()
    parts = state["weights_data"], state["weights_indices"], state["weights_indptr"]
    weights = sparse.csr_matrix(parts, shape=gram.shape).toarray()
    np.testing.assert_allclose(weights[:NEW_ITEM, :NEW_ITEM], expected[:NEW_ITEM, :NEW_ITEM], rtol=1e-4, atol=1e-6)


def test_fewer_likes_are_regularised_more() -> None:
    """Twelve liked items with five likes each: lambda is 50 / root 5 mean diagonals."""
    automatic = ItemGraphTrainer().train(two_tastes(), ItemGraphConfig(method="ease"))
    same = ItemGraphTrainer().train(two_tastes(), ItemGraphConfig(method="ease", regularization=50 / 5**0.5))
    assert np.array_equal(automatic.state()["weights_data"], same.state()["weights_data"])


def test_a_gram_that_cannot_be_solved_is_said() -> None:
    config = ItemGraphConfig(method="ease", regularization=0.0)  # the item nobody liked has an empty row
    with pytest.raises(TrainingError, match="regularization"):
        ItemGraphTrainer().train(two_tastes(), config)


@pytest.mark.parametrize(
    "option",
    [{"neighbours": 0}, {"regularization": -1.0}, {"low_pass_share": float("nan")}, {"target_exponent": float("inf")}],
    ids=str,
)
def test_options_without_sense_are_refused_by_name(option: dict) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(option))):
        ItemGraphConfig.from_json(option)
