"""What is learned from never knows what is predicted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.interactions import InteractionTable
from recommender_app.dataset.splits import Split, last_fraction_split, leave_last_out, random_split, temporal_split
from recommender_app.exceptions import ConfigurationError
from tests.core.toys import dataset_of, table, two_tastes

SPLITS: list[Callable[[Dataset], Split]] = [temporal_split, leave_last_out, last_fraction_split, random_split]
every_split = pytest.mark.parametrize("cut", SPLITS, ids=lambda cut: cut.__name__)
some_pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=40)


def pairs_of(interactions: InteractionTable) -> set[tuple[int, int]]:
    return set(zip(interactions.user_rows.tolist(), interactions.item_rows.tolist(), strict=True))


def at_times(dataset: Dataset, times: list[int]) -> Dataset:
    return dataset.with_interactions(replace(dataset.interactions, times=np.array(times, dtype=np.int64)))


@every_split
@given(some_pairs, some_pairs)
def test_no_pair_is_in_both_parts_and_no_dislike_is_a_hit(cut: Callable, likes: list, dislikes: list) -> None:
    split = cut(dataset_of(table(likes, dislikes), 4, 6))
    assert not pairs_of(split.test) & pairs_of(split.train.interactions)
    assert pairs_of(split.test) <= set(likes)
    assert (split.test.weights > 0).all()
    assert len(split.train.interactions) + len(split.test) <= len(likes) + len(dislikes)


@every_split
@given(some_pairs)
def test_a_split_is_the_same_every_time(cut: Callable, likes: list) -> None:
    dataset = dataset_of(table(likes), 4, 6)
    first, second = cut(dataset), cut(dataset)
    assert np.array_equal(first.test.times, second.test.times)
    assert np.array_equal(first.train.interactions.times, second.train.interactions.times)


@every_split
def test_an_empty_dataset_is_split_into_nothing(cut: Callable) -> None:
    split = cut(dataset_of(table([])))
    assert len(split.test) == len(split.train.interactions) == 0


@every_split
def test_the_row_spaces_stay_and_the_fingerprint_goes(cut: Callable) -> None:
    dataset = replace(two_tastes(), fingerprint="abc")
    split = cut(dataset)
    assert split.train.items == dataset.items
    assert split.train.fingerprint == ""
    assert split.description


def test_the_temporal_cut_holds_out_the_newest_interactions_of_all() -> None:
    split = temporal_split(dataset_of(table([(0, 0), (1, 0), (0, 1), (1, 1), (2, 0)])), 0.4)
    assert pairs_of(split.train.interactions) == {(0, 0), (1, 0), (0, 1)}
    assert pairs_of(split.test) == {(1, 1), (2, 0)}


def test_the_temporal_cut_keeps_one_moment_together_in_train() -> None:
    dataset = at_times(dataset_of(table([(0, 0), (0, 1), (0, 2), (0, 3), (0, 4)])), [1, 2, 5, 5, 9])
    split = temporal_split(dataset, 0.4)
    assert pairs_of(split.train.interactions) == {(0, 0), (0, 1), (0, 2), (0, 3)}
    assert pairs_of(split.test) == {(0, 4)}


def test_a_repeated_pair_is_no_hit() -> None:
    split = temporal_split(dataset_of(table([(0, 0), (0, 1), (0, 0), (0, 2)])), 0.5)
    assert pairs_of(split.test) == {(0, 2)}


def test_only_relevant_events_are_hits() -> None:
    dataset = dataset_of(table([(0, 0), (0, 1)], [(0, 2), (0, 3)]))
    assert len(temporal_split(dataset, 0.5).test) == 0
    assert pairs_of(temporal_split(replace(dataset, relevant_events=()), 0.75).test) == {(0, 1)}


def test_leave_last_out_takes_the_newest_like_of_each_user() -> None:
    split = leave_last_out(dataset_of(table([(0, 4), (1, 0), (0, 2), (1, 1), (0, 3)])))
    assert pairs_of(split.test) == {(0, 3), (1, 1)}


def test_leave_last_out_forgets_what_came_after_the_held_out_like() -> None:
    dataset = dataset_of(table([(0, 0), (0, 1)], [(0, 2)]))
    split = leave_last_out(dataset)
    assert pairs_of(split.test) == {(0, 1)}
    assert pairs_of(split.train.interactions) == {(0, 0)}


def test_leave_last_out_leaves_users_with_too_few_likes_in_train() -> None:
    dataset = dataset_of(table([(0, 0), (1, 0), (1, 1)]))
    assert pairs_of(leave_last_out(dataset).test) == {(1, 1)}
    assert pairs_of(leave_last_out(dataset).train.interactions) == {(0, 0), (1, 0)}
    assert len(leave_last_out(dataset, n=2).test) == 0


def test_leave_last_out_holds_out_every_event_of_the_pair() -> None:
    dataset = dataset_of(table([(0, 1), (0, 0), (0, 1)]))
    split = leave_last_out(dataset)
    assert pairs_of(split.test) == {(0, 1)}
    assert pairs_of(split.train.interactions) == {(0, 0)}


def test_the_last_fraction_is_rounded_up_per_user_but_leaves_one() -> None:
    likes = [(user, item) for user, n in enumerate((10, 5, 4, 1)) for item in range(n)]
    split = last_fraction_split(dataset_of(table(likes)), 0.2)
    assert pairs_of(split.test) == {(0, 8), (0, 9), (1, 4), (2, 3)}


def test_the_random_split_takes_the_same_share_of_each_user_and_follows_its_seed() -> None:
    likes = [(user, item) for user in range(3) for item in range(10)]
    dataset = dataset_of(table(likes))
    split = random_split(dataset, 0.2, seed=1)
    assert np.bincount(split.test.user_rows).tolist() == [2, 2, 2]
    assert pairs_of(split.test) == pairs_of(random_split(dataset, 0.2, seed=1).test)
    assert pairs_of(split.test) != pairs_of(random_split(dataset, 0.2, seed=2).test)


def test_pairs_of_one_moment_are_not_held_out_in_row_order() -> None:
    """Rows often follow popularity, so that row order would bias the test part."""
    likes = [(user, item) for user in range(4) for item in range(10)]
    dataset = at_times(dataset_of(table(likes)), [1] * 40)
    held_out = pairs_of(last_fraction_split(dataset, 0.2).test)
    assert held_out != {(user, item) for user in range(4) for item in (8, 9)}


@pytest.mark.parametrize("cut", [temporal_split, last_fraction_split, random_split])
@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(cut: Callable, fraction: float) -> None:
    with pytest.raises(ConfigurationError, match="test_fraction"):
        cut(two_tastes(), fraction)


def test_leaving_nobody_out_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        leave_last_out(two_tastes(), 0)
