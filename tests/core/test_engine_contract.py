"""Every engine keeps the contract; engines are collected by themselves from the catalogue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recommender_app.artifacts.opening import open_engine
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.engines.base import Engine
from recommender_app.engines.batch import RequestBatch, batch_of_users
from recommender_app.engines.catalog import engine_class, engine_keys
from recommender_app.engines.ensemble import EnsembleEngine
from recommender_app.exceptions import EngineError
from tests.core.toys import (
    N_ITEMS,
    N_USERS,
    NEW_ITEM,
    excluding,
    hidden_item,
    history_of,
    liked_items,
    request,
    two_tastes,
    user_features,
)
from tests.core.trained import ENGINE_KEYS, TRAINER_KEYS, trained


@pytest.fixture(params=ENGINE_KEYS)
def engine(request: pytest.FixtureRequest) -> Engine:
    return trained(request.param)


@pytest.fixture
def batch() -> RequestBatch:
    """All toy users, with their histories and profiles."""
    return batch_of_users(two_tastes(), np.arange(N_USERS, dtype=np.int32))


def test_every_engine_has_a_trainer() -> None:
    assert set(engine_keys()) == set(TRAINER_KEYS)


def test_the_catalogue_names_the_engine_by_its_key(engine: Engine) -> None:
    assert engine_class(engine.key) is type(engine)


def test_scores_have_the_promised_shape_and_type(engine: Engine, batch: RequestBatch) -> None:
    scores = engine.score(batch)
    assert engine.n_items == N_ITEMS
    assert scores.shape == (N_USERS, N_ITEMS)
    assert scores.dtype == np.float32
    assert not np.isinf(scores).any()


def test_an_unknown_user_with_a_known_history_gets_the_same_as_the_known_one(engine: Engine) -> None:
    known = batch_of_users(two_tastes(), np.array([3], dtype=np.int32))
    unknown = RequestBatch(np.array([-1], dtype=np.int32), known.history, known.ages_days, known.profiles)
    assert_same(engine.score(unknown), engine.score(known))


def test_an_empty_history_without_a_profile_is_no_error(engine: Engine) -> None:
    scores = engine.score(request({}, {}))
    assert scores.shape == (2, N_ITEMS)
    assert not np.isinf(scores).any()


def test_a_batch_of_nobody_is_answered_with_nothing(engine: Engine) -> None:
    nobody = request()
    assert engine.score(nobody).shape == (0, N_ITEMS)
    rows, scores = engine.candidates(nobody, 5)
    assert rows.shape == scores.shape == (0, 5)


def test_an_unknown_item_gets_no_opinion(engine: Engine, batch: RequestBatch) -> None:
    scores = engine.score(batch, np.array([-1, N_ITEMS, 10**6, 2], dtype=np.int32))
    assert np.isnan(scores[:, :3]).all()
    assert_same(scores[:, 3], engine.score(batch)[:, 2])


def test_no_items_asked_for_is_answered_with_no_columns(engine: Engine, batch: RequestBatch) -> None:
    assert engine.score(batch, np.empty(0, dtype=np.int32)).shape == (N_USERS, 0)


def test_a_subset_scores_like_the_whole(engine: Engine, batch: RequestBatch) -> None:
    items = np.array([11, 0, 5, 5, 12], dtype=np.int32)
    assert_same(engine.score(batch, items), engine.score(batch)[:, items])


def test_a_batch_scores_like_a_loop(engine: Engine, batch: RequestBatch) -> None:
    one_by_one = [engine.score(batch.rows(place, place + 1)) for place in range(len(batch))]
    assert_same(engine.score(batch), np.concatenate(one_by_one))


def test_more_asked_for_than_there_is_gives_each_item_at_most_once(engine: Engine, batch: RequestBatch) -> None:
    rows, scores = engine.candidates(batch, N_ITEMS + 20)
    assert rows.shape == scores.shape == (N_USERS, N_ITEMS + 20)
    for user in range(N_USERS):
        proposed = rows[user][rows[user] >= 0]
        assert len(set(proposed)) == len(proposed) <= N_ITEMS
        assert np.isnan(scores[user][rows[user] < 0]).all()
        assert np.isfinite(scores[user][rows[user] >= 0]).all()
        assert (rows[user][len(proposed) :] == -1).all()


def test_excluded_items_are_never_proposed(engine: Engine, batch: RequestBatch) -> None:
    rows, _ = engine.candidates(batch, N_ITEMS, batch.history)
    for user in range(N_USERS):
        assert not set(rows[user]) & set(liked_items(user))


def test_everything_excluded_gives_an_empty_list(engine: Engine, batch: RequestBatch) -> None:
    rows, scores = engine.candidates(batch, 3, excluding(*[list(range(N_ITEMS))] * N_USERS))
    assert (rows == -1).all()
    assert np.isnan(scores).all()


def test_candidates_come_best_first_and_equals_by_row(engine: Engine, batch: RequestBatch) -> None:
    rows, scores = engine.candidates(batch, N_ITEMS)
    for user in range(N_USERS):
        n = int((rows[user] >= 0).sum())
        ranked = list(zip(-scores[user][:n], rows[user][:n], strict=True))
        assert ranked == sorted(ranked)


def test_a_round_trip_through_its_state_changes_no_list(engine: Engine, batch: RequestBatch) -> None:
    arrays = engine.state()
    for array in arrays.values():
        assert isinstance(array, np.ndarray)
        assert array.dtype.kind in "fiubSU", "only plain arrays are stored"
    frozen = {name: array.copy() for name, array in arrays.items()}
    for array in frozen.values():
        array.flags.writeable = False
    again = with_members(type(engine).from_state(frozen), engine)
    assert np.array_equal(again.candidates(batch, 10)[0], engine.candidates(batch, 10)[0])
    assert np.array_equal(again.score(batch), engine.score(batch), equal_nan=True)


def test_a_round_trip_through_the_store_changes_no_list(engine: Engine, batch: RequestBatch, tmp_path: Path) -> None:
    published = ArtifactStore(tmp_path).publish("toys", f"{engine.key}_v1", engine, two_tastes().items)
    opened = open_engine(published)
    assert opened.items == two_tastes().items
    again = with_members(opened.engine, engine)
    assert np.array_equal(again.candidates(batch, 10)[0], engine.candidates(batch, 10)[0])
    assert np.array_equal(again.score(batch), engine.score(batch), equal_nan=True)


def test_a_missing_array_is_refused_by_name(engine: Engine) -> None:
    with pytest.raises(EngineError):
        type(engine).from_state({})


def test_not_a_number_in_an_array_is_refused(engine: Engine) -> None:
    arrays = engine.state()
    name = next(name for name, array in arrays.items() if array.dtype.kind == "f" and array.ndim and array.size)
    poisoned = arrays[name].copy()
    poisoned.flat[0] = np.nan
    with pytest.raises(EngineError, match=name):
        type(engine).from_state({**arrays, name: poisoned})


def test_covers_new_users_is_true_to_behaviour(engine: Engine) -> None:
    newcomers = request({}, {}, profiles=user_features_of(0, 8))
    has_opinion = np.isfinite(engine.score(newcomers)).any(axis=1)
    assert has_opinion.all() if engine.covers_new_users else not has_opinion.any()


def test_uses_history_is_true_to_behaviour(engine: Engine) -> None:
    before, after = engine.score(request({0: 1.0}, {0: 1.0, 7: 1.0}))
    assert np.array_equal(before, after, equal_nan=True) != engine.uses_history


def test_covers_new_items_is_true_to_behaviour(engine: Engine) -> None:
    if engine.covers_new_items:
        assert np.isfinite(engine.score(request(history_of(0)))[0, NEW_ITEM])
    elif engine.uses_history:
        assert np.isnan(engine.score(request(history_of(0)))[0, NEW_ITEM])


def test_similar_items_are_other_items_or_refused(engine: Engine) -> None:
    asked = np.array([0, 7, -1, N_ITEMS], dtype=np.int32)
    if not engine.has_similar_items:
        with pytest.raises(EngineError):
            engine.similar(asked, 3)
        return
    rows, scores = engine.similar(asked, 3)
    assert rows.shape == scores.shape == (4, 3)
    assert set(rows[0]) <= {1, 2, 3, 4, 5, NEW_ITEM}, "like likes like"
    assert set(rows[1]) <= {6, 8, 9, 10, 11}
    assert (rows[2:] == -1).all()


def test_all_similar_items_at_most_once_and_never_itself(engine: Engine) -> None:
    if engine.has_similar_items:
        rows, _ = engine.similar(np.array([4], dtype=np.int32), N_ITEMS + 5)
        proposed = rows[0][rows[0] >= 0].tolist()
        assert len(set(proposed)) == len(proposed)
        assert 4 not in proposed


def test_the_hidden_item_comes_first(engine: Engine) -> None:
    """The child's answer: for each user, the one item of the own group that is left."""
    if not engine.uses_history:
        return
    batch = batch_of_users(two_tastes(), np.arange(N_USERS, dtype=np.int32))
    seen = excluding(*[[*liked_items(user), NEW_ITEM] for user in range(N_USERS)])
    rows, _ = engine.candidates(batch, 1, seen)
    assert rows[:, 0].tolist() == [hidden_item(user) for user in range(N_USERS)]


def with_members(stored: Engine, original: Engine) -> Engine:
    """An ensemble's members are artifacts of their own: hand them over, as a release does."""
    return stored.bind(original.members) if isinstance(stored, EnsembleEngine) else stored


def user_features_of(*users: int):
    features = user_features()
    return type(features)([features.texts[user] for user in users], [features.terms[user] for user in users])


def assert_same(left: np.ndarray, right: np.ndarray) -> None:
    """Equal up to float32 rounding, NaN in the same places."""
    np.testing.assert_allclose(left, right, rtol=1e-4, atol=1e-5, equal_nan=True)
