"""Metrics against cases counted by hand, and against ranx."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from recommender_app.dataset.features import Features
from recommender_app.evaluation.metrics import accuracy, find_hits
from recommender_app.evaluation.variety import coverage, diversity, novelty, self_information, unit_terms
from tests.core.ranx_oracle import ask
from tests.core.toys import dataset_of, table

HIT, MISS = True, False


def measured(hits: list[bool], n_relevant: int, k: int) -> dict[str, float]:
    values = accuracy(np.array([hits]), np.array([n_relevant]), k)
    return {name.split("@")[0]: float(value[0]) for name, value in values.items()}


def test_two_hits_of_three_relevant_items() -> None:
    """Hits at ranks 1 and 3 of 4."""
    found = measured([HIT, MISS, HIT, MISS], 3, 4)
    assert found["precision"] == 2 / 4
    assert found["recall"] == pytest.approx(2 / 3)
    assert found["hit_rate"] == found["mrr"] == 1
    assert found["map"] == pytest.approx((1 / 1 + 2 / 3) / 3)
    assert found["ndcg"] == pytest.approx((1 + 1 / 2) / (1 + 1 / np.log2(3) + 1 / 2))


def test_the_first_hit_at_rank_three() -> None:
    found = measured([MISS, MISS, HIT], 1, 3)
    assert found["mrr"] == found["map"] == pytest.approx(1 / 3)
    assert found["ndcg"] == pytest.approx(1 / 2)
    assert found["recall"] == found["hit_rate"] == 1


def test_no_hit_is_zero_everywhere() -> None:
    assert set(measured([MISS, MISS], 5, 2).values()) == {0.0}


def test_a_perfect_list_is_one_even_when_more_is_relevant_than_fits() -> None:
    found = measured([HIT, HIT], 10, 2)
    assert found["precision"] == found["ndcg"] == found["map"] == found["mrr"] == found["hit_rate"] == 1
    assert found["recall"] == 2 / 10


def test_ranks_beyond_k_do_not_count() -> None:
    assert measured([MISS, HIT], 1, 1) == measured([MISS, MISS], 1, 1)


def test_a_short_list_is_still_divided_by_k() -> None:
    assert measured([HIT], 1, 10)["precision"] == 1 / 10


def test_hits_are_found_by_user_and_padding_is_none() -> None:
    relevant = sparse.csr_matrix(np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1]]))
    rows = np.array([[0, 1, 2], [0, 2, 1], [-1, -1, 2]], dtype=np.int32)
    assert find_hits(rows, relevant).tolist() == [[HIT, MISS, HIT], [MISS, MISS, HIT], [MISS, MISS, HIT]]


def test_accuracy_agrees_with_ranx() -> None:
    """ranx divides average precision by |T| where we divide by min(|T|, k); all else is the same."""
    rng, n_users, n_items, k = np.random.default_rng(5), 40, 60, 10
    relevant = sparse.csr_matrix(rng.random((n_users, n_items)) < rng.uniform(0.02, 0.5, (n_users, 1)))
    relevant = relevant[relevant.getnnz(axis=1) > 0]
    rows = np.array([rng.permutation(n_items)[:20] for _ in range(relevant.shape[0])], dtype=np.int32)
    n_relevant = relevant.getnnz(axis=1)
    ours = accuracy(find_hits(rows, relevant), n_relevant, k)
    ours[f"map@{k}"] *= np.minimum(n_relevant, k) / n_relevant
    wanted = {str(user): {str(item): 1 for item in row.indices} for user, row in enumerate(relevant)}
    ranked = {str(user): {str(item): float(-place) for place, item in enumerate(row)} for user, row in enumerate(rows)}
    names = [f"{metric}@{k}" for metric in ("precision", "recall", "ndcg", "map", "mrr", "hit_rate")]
    answer = ask(wanted, ranked, names)
    for name in names:
        theirs = np.array([answer[name][str(user)] for user in range(len(rows))])
        np.testing.assert_allclose(ours[name], theirs, err_msg=name)
        assert theirs.max() > 0


def test_coverage_counts_each_item_once_and_no_padding() -> None:
    assert coverage(np.array([[0, 1], [1, -1]], dtype=np.int32), 8) == 2 / 8


def test_diversity_of_equal_half_equal_and_different_items() -> None:
    """Sets {a}, {a}, {a, b}, {c}: cosines 1, 1/sqrt(2) and 0."""
    terms = unit_terms(Features([""] * 4, [("a",), ("a",), ("b", "a"), ("c",)]))
    rows = np.array([[0, 1], [0, 2], [0, 3]], dtype=np.int32)
    assert diversity(rows, terms).tolist() == pytest.approx([0, 1 - 1 / np.sqrt(2), 1])


def test_diversity_is_the_mean_over_all_pairs() -> None:
    terms = unit_terms(Features([""] * 4, [("a",), ("a",), ("b", "a"), ("c",)]))
    pairs = [0, 1 - 1 / np.sqrt(2), 1 - 1 / np.sqrt(2), 1, 1, 1]
    assert diversity(np.array([[0, 1, 2, 3]], dtype=np.int32), terms)[0] == pytest.approx(np.mean(pairs))


def test_diversity_leaves_out_items_that_nothing_is_known_of() -> None:
    terms = unit_terms(Features([""] * 3, [("a",), (), ("b",)]))
    rows = np.array([[0, 1, 2], [0, 1, -1], [-1, -1, -1]], dtype=np.int32)
    assert diversity(rows, terms).tolist() == pytest.approx([1, np.nan, np.nan], nan_ok=True)


def test_diversity_without_any_features_is_unknown() -> None:
    assert np.isnan(diversity(np.array([[0, 1]], dtype=np.int32), unit_terms(Features.empty(2)))).all()


def test_novelty_is_bits_of_surprise() -> None:
    """Of four users all like item 0, one likes item 1, nobody item 2 (which counts as one)."""
    train = dataset_of(table([(0, 0), (1, 0), (2, 0), (3, 0), (0, 1)]), 9, 3)
    bits = self_information(train)
    assert bits.tolist() == [0, 2, 2]
    rows = np.array([[0, -1], [0, 1], [1, 2], [-1, -1]], dtype=np.int32)
    assert novelty(rows, bits).tolist() == pytest.approx([0, 1, 2, np.nan], nan_ok=True)
