"""Which answer an action is due to."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from recommender_app.measurement.attribution import Action, Exposure, attribute

NOON = datetime(2024, 1, 10, 12, tzinfo=UTC)
DAY = timedelta(hours=24)
FIRST, SECOND, THIRD = (str(UUID(int=number)) for number in (1, 2, 3))


def hours(number):
    return NOON + timedelta(hours=number)


def due_to(at, *exposures, window=DAY, request_id=None):
    (found,) = attribute([Action("ada", "tea", at, request_id)], exposures, window)
    return found


def test_the_last_answer_that_showed_the_item_counts():
    exposures = [Exposure(SECOND, "ada", "tea", hours(2)), Exposure(FIRST, "ada", "tea", hours(1))]
    assert due_to(hours(1.5), *exposures) == FIRST
    assert due_to(hours(3), *exposures) == SECOND


def test_what_was_shown_to_others_or_other_items_do_not_count():
    assert due_to(hours(2), Exposure(FIRST, "bob", "tea", hours(1)), Exposure(SECOND, "ada", "sea", hours(1))) is None


def test_the_window_holds_its_last_moment_and_nothing_after_it():
    shown = Exposure(FIRST, "ada", "tea", NOON)
    assert due_to(NOON + DAY, shown) == FIRST
    assert due_to(NOON + DAY + timedelta(microseconds=1), shown) is None
    assert due_to(NOON + timedelta(hours=2), shown, window=timedelta(hours=1)) is None


def test_the_same_moment_counts_and_a_later_one_does_not():
    assert due_to(NOON, Exposure(FIRST, "ada", "tea", NOON)) == FIRST
    assert due_to(NOON, Exposure(FIRST, "ada", "tea", NOON + timedelta(microseconds=1))) is None


def test_of_answers_at_the_same_moment_it_is_the_largest_id():
    exposures = [Exposure(number, "ada", "tea", NOON) for number in (SECOND, THIRD, FIRST)]
    assert due_to(hours(1), *exposures) == due_to(hours(1), *reversed(exposures)) == THIRD


def test_an_action_that_names_its_answer_is_due_to_that():
    assert due_to(hours(90), Exposure(FIRST, "ada", "tea", hours(89)), request_id=SECOND) == SECOND


names = st.sampled_from(["ada", "bob"])
titles = st.sampled_from(["tea", "sea"])
times = st.integers(0, 60).map(hours)
exposures_made = st.lists(
    st.builds(Exposure, st.integers(1, 9).map(lambda number: UUID(int=number)), names, titles, times)
)


@given(st.lists(st.builds(Action, names, titles, times, st.none())), exposures_made, st.integers(0, 30), st.randoms())
def test_every_choice_is_the_best_by_the_rule(actions, exposures, window_hours, random):
    window = timedelta(hours=window_hours)
    chosen = attribute(actions, exposures, window)
    random.shuffle(exposures)
    assert attribute(actions, exposures, window) == chosen
    for action, found in zip(actions, chosen, strict=True):
        possible = [
            (shown.shown_at, shown.request_id)
            for shown in exposures
            if (shown.user_id, shown.item_id) == action[:2] and timedelta(0) <= action.at - shown.shown_at <= window
        ]
        assert found == (max(possible)[1] if possible else None)


@given(st.builds(Action, names, titles, times, st.none()), exposures_made, st.integers(0, 30), st.integers(0, 30))
def test_a_wider_window_never_changes_a_choice(action, exposures, window_hours, more):
    (narrow,) = attribute([action], exposures, timedelta(hours=window_hours))
    (wide,) = attribute([action], exposures, timedelta(hours=window_hours + more))
    assert narrow in (wide, None)
