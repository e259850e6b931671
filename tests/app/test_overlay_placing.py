"""Where new items go in a list whose engine has no opinion on them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recommender_app.serving.overlay_placing import place_guests, with_scores

SCORES = np.array([9.0, 7.0, 5.0, 3.0])
OPINIONS = np.array([0.9, 0.7, 0.5, 0.3])
CATALOGUE = np.linspace(-1, 0.3, 20)


def placed(*guests, scores=SCORES, opinions=OPINIONS, sample=CATALOGUE, n_catalogue=20):
    return place_guests(scores, opinions, np.array(guests, dtype=float), sample, n_catalogue)


def test_whom_the_judge_likes_best_gets_the_best_score():
    assert placed(1.5) == [(0, 9.0)]


def test_whom_the_judge_likes_as_much_as_an_item_gets_its_score_and_between_two_something_between():
    assert placed(0.5) == [(0, 5.0)]
    ((guest, score),) = placed(0.6)
    assert (guest, round(score, 6)) == (0, 6.0)


def test_whom_the_judge_likes_less_than_the_whole_list_stays_out():
    assert placed(0.29, np.nan) == []


def test_without_an_opinion_on_the_list_nobody_can_be_placed():
    assert placed(1.0, opinions=np.full(4, np.nan)) == []


def test_a_guest_must_be_among_as_many_of_the_catalogue_as_the_list_holds():
    disagreeing = np.array([0.1, 0.2, 0.15, 0.12])  # the judge finds the list poor
    catalogue = np.linspace(0, 1, 1001)
    assert placed(0.5, opinions=disagreeing, sample=catalogue, n_catalogue=1001) == []  # rank 500 of 1001
    assert placed(0.999, opinions=disagreeing, sample=catalogue, n_catalogue=1001) == [(0, 9.0)]


def test_many_guests_take_every_third_place_at_most():
    scores, opinions = np.arange(30, 0, -1.0), np.linspace(0.9, 0.1, 30)
    guests = place_guests(scores, opinions, np.full(5000, 2.0), CATALOGUE, 20)
    merged = with_scores(
        [(f"own {place}", score) for place, score in enumerate(scores)],
        [(f"guest {guest}", score) for guest, score in guests],
        30,
    )
    kinds = [item.split()[0] for item, _ in merged]
    assert kinds[:6] == ["own", "guest", "own", "own", "guest", "own"]
    for end in range(1, 31):
        assert kinds[:end].count("guest") <= end / 3 + 1


@given(
    scores=st.lists(st.floats(-5, 5), min_size=1, max_size=12),
    opinions=st.lists(st.one_of(st.floats(-5, 5), st.just(np.nan)), min_size=12, max_size=12),
    guests=st.lists(st.one_of(st.floats(-5, 5), st.just(np.nan)), max_size=12),
    sample=st.lists(st.one_of(st.floats(-5, 5), st.just(np.nan)), max_size=12),
)
def test_the_better_is_never_below_the_worse_and_nobody_above_the_first(scores, opinions, guests, sample):
    scores = np.sort(scores)[::-1]
    opinions, guests = np.array(opinions[: len(scores)]), np.array(guests)
    found = place_guests(scores, opinions, guests, np.array(sample), 100)
    assert len({guest for guest, _ in found}) == len(found) <= (len(scores) + 1) // 2
    values = [score for _, score in found]
    assert values == sorted(values, reverse=True)
    assert all(scores[-1] <= value <= scores[0] for value in values)
    likes = [guests[guest] for guest, _ in found]
    assert likes == sorted(likes, reverse=True)


def test_the_newer_score_of_an_item_replaces_the_older_and_equals_keep_their_order():
    own, newer = [("a", 3.0), ("b", 2.0), ("c", 1.0)], [("c", 2.0), ("new", 2.5), ("a", 0.0)]
    assert with_scores(own, newer, 4) == [("new", 2.5), ("b", 2.0), ("c", 2.0), ("a", 0.0)]
    assert with_scores(own, newer, 1) == [("new", 2.5)]
