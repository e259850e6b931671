"""Users by activity, and the same users with less history."""

import numpy as np
import pytest

from recommender_app.dataset.splits import Split
from recommender_app.engines.batch import batch_of_users
from recommender_app.evaluation.cohorts import among_users, cohorts, interaction_counts
from recommender_app.evaluation.evaluate import evaluate
from recommender_app.evaluation.truncation import most_recent
from tests.core.toys import N_ITEMS, N_USERS, dataset_of, hidden_item, liked_items, table, two_tastes
from tests.core.trained import trained


def toy_split():
    test = table([(user, hidden_item(user)) for user in range(N_USERS)])
    return Split(two_tastes(), test, "toy", "the hidden item held out")


def test_an_interaction_is_a_distinct_pair_of_item_and_event_dislikes_included():
    train = dataset_of(table([(0, 0), (0, 0), (0, 1), (2, 0)], [(0, 0), (1, 3)]), 4)
    assert interaction_counts(train).tolist() == [3, 1, 1, 0]


def test_every_user_is_in_exactly_one_group():
    counts = np.array([0, 1, 4, 5, 19, 20, 500])
    groups = cohorts(counts)
    assert list(groups) == ["new (0)", "cold (1-4)", "warm (5-19)", "hot (20+)"]
    assert [int(mask.sum()) for mask in groups.values()] == [1, 2, 2, 2]
    assert (sum(mask.astype(int) for mask in groups.values()) == 1).all()


def test_thresholds_are_the_services():
    assert list(cohorts(np.array([1]), 2, 3)) == ["new (0)", "cold (1-1)", "warm (2-2)", "hot (3+)"]


def test_a_part_of_the_users_is_measured_like_the_part_alone():
    engines = {"als": trained("als"), "popular": trained("popular")}
    whole = evaluate(engines, toy_split())
    part = among_users(whole, np.arange(N_USERS) < 3, N_ITEMS, "users of the first three")
    test = table([(user, hidden_item(user)) for user in range(3)])
    alone = evaluate(engines, Split(two_tastes(), test, "toy", "toy"))
    for engine in engines:
        assert part.engines[engine] == pytest.approx(alone.engines[engine], nan_ok=True)
    assert part.n_users == 3
    assert part.protocol.endswith("; 3 users of the first three")
    assert whole.n_users == N_USERS


def test_the_newest_interactions_stay():
    train = dataset_of(table([(0, 4), (0, 1), (0, 3), (1, 2)]), 3)
    shorter = most_recent(batch_of_users(train, np.arange(3, dtype=np.int32)), 2)
    assert shorter.history.toarray().nonzero()[1].tolist() == [1, 3, 2]
    assert shorter.ages_days.shape == (3,)
    assert shorter.ages_days[0] > shorter.ages_days[1] > shorter.ages_days[2]


def test_of_equal_ages_the_lower_items_stay():
    batch = batch_of_users(two_tastes(), np.array([0], dtype=np.int32))
    batch.ages_days[:] = 1
    assert most_recent(batch, 2).history.indices.tolist() == liked_items(0)[:2]


def test_more_than_there_is_changes_nothing_and_zero_leaves_nothing():
    batch = batch_of_users(two_tastes(), np.arange(N_USERS, dtype=np.int32))
    same = most_recent(batch, 99)
    assert np.array_equal(same.history.toarray(), batch.history.toarray())
    assert np.array_equal(same.ages_days, batch.ages_days)
    empty = most_recent(batch, 0)
    assert (empty.history.nnz, len(empty.ages_days), len(empty)) == (0, 0, N_USERS)


def test_without_history_an_engine_that_needs_one_finds_nothing_for_the_same_users():
    full, none = (evaluate({"als": trained("als")}, toy_split(), ks=(1,), recent=n) for n in (None, 0))
    assert full.engines["als"]["precision@1"] == 1
    assert none.engines["als"]["precision@1"] == 0
    assert none.user_rows.tolist() == full.user_rows.tolist()
    assert "newest 0" in none.protocol


def test_what_was_seen_stays_hidden_when_histories_are_cut():
    lists = evaluate({"popular": trained("popular")}, toy_split(), ks=(5,), recent=0).rows["popular"]
    for user in range(N_USERS):
        assert not set(lists[user]) & set(liked_items(user))


def test_only_the_candidates_are_ranked_and_counted():
    among = np.array([0, 2, 7], dtype=np.int32)
    found = evaluate({"als": trained("als")}, toy_split(), ks=(2,), among=among)
    assert found.user_rows.tolist() == [0, 2, 7], "users whose hit is no candidate are not measured"
    assert set(found.rows["als"].ravel()) <= {-1, 0, 2, 7}
    assert found.engines["als"]["recall@2"] == 1
    assert "3 items ranked" in found.protocol


def test_popularity_is_a_percentile_of_the_catalogue():
    """Item 0 is liked by three, item 1 by one, items 2 and 3 by nobody."""
    train = dataset_of(table([(0, 0), (1, 0), (2, 0), (2, 1)]), 4, 4)
    split = Split(train, table([(3, 1)]), "toy", "toy")
    engine = type(trained("popular"))(train.positives.getnnz(axis=0).astype(np.float32))
    measured = evaluate({"popular": engine}, split, ks=(1, 4), min_history=0).engines["popular"]
    assert measured["popularity@1"] == pytest.approx(3.5 / 4)
    assert measured["popularity@4"] == pytest.approx(0.5)
