"""Several interactions of a user with an item become one signed weight."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.dataset.blocks import blocks_of
from recommender_app.dataset.interactions import InteractionTable
from recommender_app.dataset.pairs import weigh_pairs
from recommender_app.exceptions import DatasetError

Row = tuple[int, int, float, int]  # user, item, weight, time
rows = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from([-3.0, -1.0, 0.0, 0.5, 2.0]), st.integers(0, 4)),
    max_size=25,
)


def interactions(entries: list[Row]) -> InteractionTable:
    users, items, weights, times = (np.array(column) for column in zip(*entries, strict=True)) if entries else [[]] * 4
    return InteractionTable(
        np.asarray(users, dtype=np.int32),
        np.asarray(items, dtype=np.int32),
        np.zeros(len(entries), dtype=np.uint8),
        np.asarray(weights, dtype=np.float32),
        np.asarray(times, dtype=np.int64),
        ("event",),
    )


def weight_of(entries: list[Row], weighting: str = "max") -> float:
    return float(weigh_pairs(interactions(entries), (1, 1), weighting)[0, 0])  # type: ignore[arg-type]


@pytest.mark.parametrize(("weighting", "expected"), [("max", 3.0), ("sum", 4.0), ("log1p", np.log(5.0))])
def test_likes_are_combined(weighting: str, expected: float) -> None:
    assert weight_of([(0, 0, 1.0, 1), (0, 0, 3.0, 2)], weighting) == pytest.approx(expected)


@pytest.mark.parametrize("weighting", ["max", "sum", "log1p"])
def test_a_last_dislike_wins_over_all_likes(weighting: str) -> None:
    assert weight_of([(0, 0, 5.0, 1), (0, 0, -1.0, 3), (0, 0, -3.0, 0)], weighting) == -3.0


def test_a_like_after_a_dislike_counts() -> None:
    assert weight_of([(0, 0, -3.0, 1), (0, 0, 2.0, 2)]) == 2.0


def test_at_equal_times_the_dislike_wins() -> None:
    assert weight_of([(0, 0, 2.0, 1), (0, 0, -1.0, 1)]) == -1.0
    assert weight_of([(0, 0, -1.0, 1), (0, 0, 2.0, 1)]) == -1.0


def test_weights_of_zero_say_nothing() -> None:
    assert weigh_pairs(interactions([(0, 0, 0.0, 9), (0, 1, 0.0, 1)]), (1, 2)).nnz == 0
    assert weight_of([(0, 0, -1.0, 1), (0, 0, 0.0, 2)]) == -1.0


@given(rows, st.randoms(), st.sampled_from(["max", "sum", "log1p"]))
def test_the_order_of_the_input_does_not_matter(entries: list[Row], random: object, weighting: str) -> None:
    shuffled = entries.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    expected, found = (weigh_pairs(interactions(given), (3, 4), weighting) for given in (entries, shuffled))  # type: ignore[arg-type]
    assert np.array_equal(expected.indptr, found.indptr)
    assert np.array_equal(expected.indices, found.indices)
    np.testing.assert_allclose(expected.data, found.data, rtol=1e-6)


@given(rows)
def test_the_matrix_is_canonical(entries: list[Row]) -> None:
    matrix = weigh_pairs(interactions(entries), (3, 4))
    assert matrix.dtype == np.float32
    assert matrix.shape == (3, 4)
    assert matrix.has_canonical_format
    assert (matrix.data != 0).all()


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), 1001.0, -1e38])
def test_weights_that_would_ruin_a_model_are_refused(weight: float) -> None:
    with pytest.raises(DatasetError, match="finite and within"):
        interactions([(0, 0, weight, 1)])


@given(rows, st.sampled_from(["max", "sum", "log1p"]), st.sampled_from([1, 4]))
def test_interactions_by_user_are_weighed_in_blocks_to_the_same_matrix(
    entries: list[Row], weighting: str, size: int
) -> None:
    table = interactions(sorted(entries))
    whole = weigh_pairs(table, (4, 5), weighting)  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recommender_app.dataset.pairs.ROWS_PER_BLOCK", size)
        patch.setattr("recommender_app.dataset.pairs.blocks_of", lambda keys: blocks_of(keys, size))
        in_blocks = weigh_pairs(table, (4, 5), weighting)  # type: ignore[arg-type]
    for part in ("data", "indices", "indptr"):
        one, other = getattr(whole, part), getattr(in_blocks, part)
        assert one.tolist() == other.tolist()
        assert one.dtype == other.dtype
