"""Popular and trending: counts that a child can check."""

from __future__ import annotations

import numpy as np
import pytest

from recommender_app.engines.popularity import PopularityEngine, TrendingEngine
from recommender_app.exceptions import ConfigurationError, EngineError
from recommender_app.trainers.popularity import (
    PopularityTrainer,
    TrendingConfig,
    TrendingTrainer,
    choose_window,
)
from tests.core.toys import dataset_of, request, table

OLD_HIT, NEW_HIT, NEVER = 0, 1, 2


def fashion() -> list[tuple[int, int]]:
    """Ten users liked item 0 long ago; lately, three like item 1 (pairs are an hour apart)."""
    return (
        [(user, OLD_HIT) for user in range(10)]
        + [(user, 3 + user % 2) for user in range(60)]
        + [(user, NEW_HIT) for user in range(3)]
    )


def test_popularity_counts_users_not_clicks() -> None:
    dataset = dataset_of(table([(0, 0), (0, 0), (0, 0), (1, 1), (2, 1)]), 3, 3)
    assert PopularityTrainer().train(dataset).counts.tolist() == [1, 2, 0]


def test_a_dislike_is_not_popularity() -> None:
    dataset = dataset_of(table([(0, 0), (1, 0)], [(1, 0), (2, 0), (2, 1)]), 3, 3)
    assert PopularityTrainer().train(dataset).counts.tolist() == [1, 0, 0]


def test_an_item_that_nobody_likes_is_least_popular_but_may_be_shown() -> None:
    engine = PopularityEngine(np.array([2, 0, 5], dtype=np.float32))
    assert engine.candidates(request({}, n_items=3), 3)[0].tolist() == [[2, 0, 1]]


def test_trending_sees_only_the_window() -> None:
    dataset = dataset_of(table(fashion()), 60, 5)
    engine = TrendingTrainer().train(dataset, TrendingConfig(window_days=0.15))
    assert engine.counts.tolist() == [0, 3, 0, 0, 1]
    assert PopularityTrainer().train(dataset).counts[OLD_HIT] == 10


def test_trending_has_no_opinion_outside_the_window() -> None:
    engine = TrendingEngine(np.array([0, 3, 0], dtype=np.float32), 1.0)
    assert engine.candidates(request({}, n_items=3), 3)[0].tolist() == [[1, -1, -1]]


def test_the_window_is_chosen_by_what_came_next() -> None:
    """Yesterday's hit goes on for one more day: the window of a day foresees it, long ones do not."""
    day = [(user, 0) for user in range(100)]  # four days of item 0
    hit = [(user, 1) for user in range(100, 120)]  # the day before the cut
    next_day = [(user, 1) for user in range(30)]
    assert choose_window(dataset_of(table([*day, *hit, *next_day]), 120, 3)) == 1.0


def test_the_window_has_a_default_where_nothing_came_next() -> None:
    assert choose_window(dataset_of(table([(0, 0), (1, 1)]), 2, 2)) == 7.0


def test_a_window_in_the_config_is_taken_as_it_is() -> None:
    engine = TrendingTrainer().train(dataset_of(table(fashion()), 60, 5), TrendingConfig(window_days=2.5))
    assert engine.window_days == 2.5


@pytest.mark.parametrize("days", [0.0, -1.0, float("inf"), float("nan")])
def test_a_window_that_is_no_length_is_refused(days: float) -> None:
    with pytest.raises(ConfigurationError, match="window_days"):
        TrendingConfig(window_days=days)


def test_an_empty_catalogue_is_answered_with_nothing() -> None:
    engine = PopularityEngine(np.empty(0, dtype=np.float32))
    assert engine.candidates(request({}, n_items=0), 3)[0].tolist() == [[-1, -1, -1]]


def test_a_stored_window_without_length_is_refused() -> None:
    with pytest.raises(EngineError, match="window_days"):
        TrendingEngine.from_state({"counts": np.ones(2, dtype=np.float32), "window_days": np.array(0.0)})
