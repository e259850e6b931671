"""Roll-ups of any day: what a count by hand comes to, the slow way and, on PostgreSQL, the fast one."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommender_app.measurement import roll_up as rolling
from recommender_app.measurement.days import ONE_DAY
from recommender_app.measurement.intervals import rate_of, totals_of
from recommender_app.measurement.metrics import metrics_of
from recommender_app.models import FeedbackEvent, RequestLog, RolledUpDay, RollUp, RollUpShape
from tests.app.hand_count import Did, Told, counted
from tests.app.measured import DAY, answer, at, event, roll_up

pytestmark = pytest.mark.django_db

GROUP = ("engine", "model_version", "experiment", "phase", "arm")
COUNTS = (
    "requests", "fallbacks", "impressions", "seen", "clicks", "conversions", "likes", "dislikes", "ratings",
    "ratings_sum", "sessions", "session_seconds",
)  # fmt: skip
PLACES = st.lists(st.sampled_from(["tea", "sea", "ink", "", ""]), max_size=4)  # "" was a person who is forgotten
VERSIONS = st.sampled_from([("als", "als_v1"), ("als", "als_v2"), ("popular", "")])
ARMS = st.sampled_from([(None, None, None), ("e", 1, "a"), ("e", 1, "b"), ("e", 2, "b")])
AROUND = st.one_of(  # in minutes from noon: midnights, and everything that may matter
    st.integers(-750, -690), st.integers(690, 840), st.integers(-749, 60 * 40)
)
ANSWERS = st.tuples(st.sampled_from(["ann", "bob", "cid", ""]), PLACES, AROUND, VERSIONS, ARMS, st.booleans())
NAMES = st.sampled_from(["impression", "click", "like", "dislike", "finish", "rating"])
EVENTS = st.tuples(
    st.sampled_from(["ann", "bob"]), st.sampled_from(["tea", "sea", "ink", ""]), NAMES,
    st.one_of(AROUND, st.integers(12 * 60, 70 * 60)), st.integers(-3, 7), st.integers(1, 5),
    st.sampled_from([False, False, False, True]),
)  # fmt: skip


def told(drawn) -> Told:
    user, items, minutes, (engine, version), (experiment, phase, arm), is_fallback = drawn
    group = {"engine": engine, "model_version": version, "experiment": experiment, "phase": phase, "arm": arm}
    reason = "deadline" if is_fallback else ""
    number = answer(user, *items, hours=minutes / 60, fallback_reason=reason, **group)
    group = (engine, version, experiment or "", phase or 0, arm or "")
    return Told(user, at(minutes / 60), number, group, items, is_fallback)


def did(drawn, answers: list[Told]) -> Did | None:
    user, item, name, minutes, number, stars, is_undone = drawn
    rating = stars if name == "rating" else None
    named = answers[number].request_id if 0 <= number < len(answers) and answers[number].user == user else None
    undone_at = at(99) if is_undone else None
    event(user, item, name, hours=minutes / 60, request_id=named, rating=rating, undone_at=undone_at)
    return None if is_undone else Did(user, item, name, at(minutes / 60), named, rating)


def rolled_up() -> dict:
    rows = RollUp.objects.values("user_id", *GROUP, *COUNTS, "distinct_items")
    return {
        (row["user_id"], *(row[name] for name in GROUP)): {
            name: value for name, value in row.items() if value and name in (*COUNTS, "distinct_items")
        }
        for row in rows
    }


def by_hand(answers: list[Told], events: list[Did]) -> dict:
    found = counted(answers, events)
    for row in found.values():
        row["distinct_items"] = len(row.pop("items"))
    return {key: {name: value for name, value in row.items() if value} for key, row in found.items()}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answers=st.lists(ANSWERS, max_size=8),
    events=st.lists(EVENTS, max_size=8, unique_by=lambda drawn: drawn[3]),
)
def test_any_day_comes_to_what_a_count_by_hand_does(monkeypatch, answers, events):
    for model in (RequestLog, FeedbackEvent, RollUp, RollUpShape, RolledUpDay):
        model.objects.all().delete()
    known = [told(drawn) for drawn in answers]
    done = [found for found in (did(drawn, known) for drawn in events) if found]
    expected = by_hand(known, done)
    for enough in (10**9, 1):  # answers for the fast way, which SQLite never goes
        monkeypatch.setattr(rolling, "MANY", enough)
        roll_up()
        assert rolled_up() == expected


@pytest.mark.parametrize("enough", [10**9, 1])
def test_each_forgotten_person_on_a_list_was_shown_but_is_no_item(monkeypatch, enough):
    monkeypatch.setattr(rolling, "MANY", enough)
    answer("ann", "", "", "tea")
    answer("ann", "", "tea")
    roll_up()
    assert RollUp.objects.values_list("impressions", "distinct_items").get() == (5, 1)
    assert metrics_of("books", DAY, DAY, "engine").total.distinct_items == 1


@pytest.mark.parametrize("enough", [10**9, 1])
def test_forgotten_users_are_no_user_together(monkeypatch, enough):
    monkeypatch.setattr(rolling, "MANY", enough)
    for user, items in {"ann": ["tea", "sea"], "bob": ["tea"]}.items():
        named = answer(user, *items)
        event(user, "tea", "click", hours=1, request_id=named)
    for hours in (0.0, 0.1, 3.0):
        answer("", "tea", "ink", hours=hours, fallback_reason="deadline")
    roll_up()
    (als,) = metrics_of("books", DAY, DAY + ONE_DAY, "engine").groups
    sums = als.sums
    assert [sums[name] for name in ("users", "requests", "impressions", "sessions")] == [2, 5, 9, 2]
    assert als.rates["ctr"] == rate_of(totals_of([(1, 2), (1, 1)]))
    assert als.rates["fallback_rate"].value == 0
    assert als.rates["mean_session_seconds"].n_users == 2


def test_a_day_of_forgotten_users_alone_has_requests_and_no_rates():
    answer("", "tea")
    roll_up()
    total = metrics_of("books", DAY, DAY, "engine").total
    assert (total.sums["users"], total.sums["requests"], total.rates["ctr"].value) == (0, 1, None)
