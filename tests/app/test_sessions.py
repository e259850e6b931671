"""Visits: what a user does without a pause of half an hour."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from recommender_app.measurement.sessions import GAP, sessions_of

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def minutes(number):
    return NOON + timedelta(minutes=number)


def visits(*acts):
    return [((s.began_at - NOON).total_seconds() / 60, s.seconds / 60, s.group) for s in sessions_of(acts)]


def test_a_pause_of_half_an_hour_is_still_the_same_visit():
    assert visits((minutes(0), "als"), (minutes(30), None)) == [(0, 30, "als")]


def test_a_longer_one_begins_another():
    assert visits((minutes(0), "als"), (minutes(30.5), "popular")) == [(0, 0, "als"), (30.5, 0, "popular")]


def test_a_visit_counts_for_the_first_answer_in_it():
    acts = [(minutes(20), "popular"), (minutes(0), None), (minutes(10), "als")]
    assert visits(*acts) == [(0, 20, "als")]


def test_a_visit_without_an_answer_is_left_out():
    assert visits((minutes(0), None), (minutes(5), None), (minutes(60), "als")) == [(60, 0, "als")]
    assert visits() == []


@given(st.lists(st.tuples(st.integers(0, 600).map(minutes), st.sampled_from([None, "als", "popular"])), max_size=40))
def test_visits_are_apart_and_hold_every_answer(acts):
    found = list(sessions_of(acts))
    for before, after in pairwise(found):
        assert after.began_at - (before.began_at + timedelta(seconds=before.seconds)) > GAP
    for moment, group in acts:
        if group is not None:
            within = [s for s in found if s.began_at <= moment <= s.began_at + timedelta(seconds=s.seconds)]
            assert len(within) == 1
