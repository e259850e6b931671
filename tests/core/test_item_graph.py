"""The item graph spreads what a child would spread."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from recommender_app.engines.item_graph import ItemGraphEngine
from recommender_app.exceptions import EngineError
from recommender_app.trainers.item_graph import ItemGraphConfig, ItemGraphTrainer
from tests.core.toys import (
    N_ITEMS,
    NEW_ITEM,
    dataset_of,
    excluding,
    hidden_item,
    history_of,
    liked_items,
    other_group,
    request,
    state_bytes,
    table,
    two_tastes,
)

FILTER = ItemGraphConfig(method="filter", low_pass_vectors=2)
EASE = ItemGraphConfig(method="ease")
both_methods = pytest.mark.parametrize("config", [EASE, FILTER], ids=["ease", "filter"])


def chain(share: float = 0.0, spectral: np.ndarray | None = None) -> ItemGraphEngine:
    """Four items: 0 leads to 1 (weight 2) and 2 (weight 1), 1 speaks against 2, nobody liked 3."""
    weights = sparse.csr_matrix(np.array([[0, 2, 1, 0], [2, 0, -1, 0], [1, -1, 0, 0], [0, 0, 0, 0]], dtype=np.float32))
    vectors = np.empty((4, 0), dtype=np.float32) if spectral is None else spectral
    known = np.array([1, 1, 1, 0], dtype=np.float32)
    return ItemGraphEngine(weights, vectors, np.ones(4, dtype=np.float32), known, share)


def test_scores_are_the_sums_of_the_links_of_the_history() -> None:
    scores = chain().score(request({0: 1.0}, {0: 5.0, 1: 0.5}, n_items=4))
    np.testing.assert_array_equal(scores[0], [0, 2, 1, np.nan])
    np.testing.assert_array_equal(scores[1], [2, 2, 0, np.nan])


def test_a_dislike_is_not_spread() -> None:
    with_dislike, without = chain().score(request({0: 1.0, 1: -1.0}, {0: 1.0}, n_items=4))
    np.testing.assert_array_equal(with_dislike, without)


def test_only_dislikes_or_items_without_links_are_no_opinion() -> None:
    assert np.isnan(chain().score(request({}, {0: -1.0}, {3: 1.0}, n_items=4))).all()


def test_both_parts_are_standardised_before_they_are_added() -> None:
    spectral = np.array([[1], [0], [2], [0]], dtype=np.float32)
    score = chain(0.5, spectral).score(request({0: 1.0}, n_items=4))[0, :3]
    linear, low_pass = np.array([0, 2, 1, 0.0]), np.array([1, 0, 2, 0.0])
    expected = (linear - linear.mean()) / linear.std() + 0.5 * (low_pass - low_pass.mean()) / low_pass.std()
    np.testing.assert_allclose(score, expected[:3], rtol=1e-5)


def test_similar_items_are_the_heaviest_links_and_never_the_negative_ones() -> None:
    rows, scores = chain().similar(np.array([0, 1], dtype=np.int32), 3)
    assert rows.tolist() == [[1, 2, -1], [0, -1, -1]]
    assert scores[0, :2].tolist() == [2, 1]


def test_arrays_that_do_not_fit_are_refused() -> None:
    arrays = chain().state()
    with pytest.raises(EngineError, match="agree"):
        ItemGraphEngine.from_state({**arrays, "output_scale": np.ones(3, dtype=np.float32)})
    with pytest.raises(EngineError, match="rows"):
        ItemGraphEngine.from_state({**arrays, "weights_indptr": arrays["weights_indptr"][:-1]})
    with pytest.raises(EngineError, match="damaged"):
        ItemGraphEngine.from_state({**arrays, "weights_indices": arrays["weights_indices"] + 4})


@both_methods
def test_the_hidden_item_of_the_own_group_comes_first(config: ItemGraphConfig) -> None:
    engine = ItemGraphTrainer().train(two_tastes(), config)
    rows, _ = engine.candidates(request(history_of(2)), 1, excluding(liked_items(2)))
    assert rows.tolist() == [[hidden_item(2)]]


@both_methods
def test_a_fresh_click_counts_at_once(config: ItemGraphConfig) -> None:
    engine = ItemGraphTrainer().train(two_tastes(), config)
    click = other_group(0)[0]
    before, after = engine.score(request(history_of(0), history_of(0) | {click: 1.0}))
    others = other_group(0)[1:]
    gain = after - before
    assert gain[others].mean() > gain[hidden_item(0)]


@both_methods
def test_an_item_nobody_liked_gets_no_opinion(config: ItemGraphConfig) -> None:
    scores = ItemGraphTrainer().train(two_tastes(), config).score(request(history_of(0), {NEW_ITEM: 1.0}))
    assert np.isnan(scores[0, NEW_ITEM])
    assert np.isfinite(scores[0, :NEW_ITEM]).all()
    assert np.isnan(scores[1]).all()


@both_methods
def test_no_item_links_to_itself_and_each_keeps_its_share(config: ItemGraphConfig) -> None:
    options = ItemGraphConfig(**{**config.to_json(), "neighbours": 3})
    state = ItemGraphTrainer().train(two_tastes(), options).state()
    parts = state["weights_data"], state["weights_indices"], state["weights_indptr"]
    graph = sparse.csr_matrix(parts, shape=(N_ITEMS, N_ITEMS))
    assert not graph.diagonal().any()
    counts = graph.getnnz(axis=1 if config.method == "ease" else 0)
    assert counts.max() == 3


@both_methods
def test_equal_seeds_give_equal_bytes(config: ItemGraphConfig) -> None:
    first, second = (ItemGraphTrainer().train(two_tastes(), config, seed=3) for _ in range(2))
    assert state_bytes(first.state()) == state_bytes(second.state())


@both_methods
def test_users_with_the_same_history_are_no_error(config: ItemGraphConfig) -> None:
    same = dataset_of(table([(user, item) for user in range(4) for item in range(3)]), n_users=4, n_items=4)
    scores = ItemGraphTrainer().train(same, config).score(request({0: 1.0, 1: 1.0}, n_items=4))
    assert np.isfinite(scores[0, :3]).all()
    assert np.isnan(scores[0, 3])


def test_auto_solves_small_catalogues_and_filters_large_ones() -> None:
    small = ItemGraphTrainer().train(two_tastes(), ItemGraphConfig())
    large = ItemGraphTrainer().train(two_tastes(), ItemGraphConfig(max_dense_items=N_ITEMS - 1))
    assert small.state()["spectral"].shape[1] == 0
    assert large.state()["spectral"].shape[1] > 0
