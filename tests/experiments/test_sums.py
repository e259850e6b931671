"""The sums of an arm are of users' totals over the whole phase."""

import pytest

from recommender_app.experiments.metrics import METRICS
from recommender_app.measurement.days import ONE_DAY
from recommender_app.measurement.intervals import Totals, totals_of
from recommender_app.measurement.readouts.gathering import gather
from recommender_app.measurement.readouts.slow_answers import slow_from, slow_sums
from recommender_app.measurement.readouts.sums import arm_rows, sums_of
from recommender_app.usecases.visitors import Visitor
from tests.app.measured import DAY, answer, event, roll_up
from tests.experiments.phases import assign, two_arms

pytestmark = pytest.mark.django_db
IN_B = {"experiment": "e", "phase": 1, "arm": "b"}


@pytest.fixture
def phase():
    """In arm b: Ann is shown 3 + 1 items in two days and clicks on 1 + 1, Bob 2 and likes one; Cid is a bot."""
    phase = two_arms()
    assign(phase, "b", "ann", "bob")
    assign(phase, "b", "cid", excluded_reason="bot")
    first = answer("ann", "tea", "sea", "ink", latency_ms=10.0, **IN_B)
    second = answer("ann", "oak", hours=24, latency_ms=500.0, **IN_B)
    third = answer("bob", "tea", "elm", latency_ms=10.0, **IN_B)
    answer("cid", "tea", "elm", **IN_B)
    answer("ann", "tea", hours=1)  # in no experiment
    event("ann", "tea", "click", hours=1, request_id=first)
    event("ann", "oak", "click", hours=25, request_id=second)
    event("bob", "elm", "like", hours=1, request_id=third)
    roll_up()
    roll_up(DAY + ONE_DAY)
    return phase


def of_b(phase, day=DAY + ONE_DAY):
    return arm_rows(phase, day).filter(arm="b")


def test_days_are_added_up_per_user_before_they_are_squared(phase, django_assert_num_queries):
    metrics = [METRICS["ctr"], METRICS["satisfaction"]]
    with django_assert_num_queries(1):
        found = sums_of(of_b(phase), metrics)
    assert found["ctr"] == totals_of([(2, 4), (0, 2)])
    assert found["satisfaction"] == totals_of([(1, 1)])


def test_a_read_out_sees_nothing_of_later_days(phase):
    assert sums_of(of_b(phase, DAY), [METRICS["ctr"]])["ctr"] == totals_of([(1, 3), (0, 2)])


def test_an_arm_without_answers_has_sums_of_nothing(phase):
    assert sums_of(arm_rows(phase, DAY).filter(arm="control"), [METRICS["ctr"]])["ctr"] == Totals()


def test_slow_answers_are_those_above_the_bucket_that_holds_the_p95(phase):
    assert slow_from(of_b(phase, DAY)) == 21  # all take 10 ms, which is the first of bucket 20
    assert slow_sums(of_b(phase), 21) == totals_of([(1, 2), (0, 1)])


def test_sessions_count_and_are_left_out_by_the_name_that_the_log_has_for_visitors():
    phase = two_arms(unit_type="session")
    assign(phase, "b", "s1", unit_type="session")
    assign(phase, "b", "s2", unit_type="session", excluded_reason="bot")
    for visitor in (Visitor("s1"), Visitor("s2")):
        shown = answer(visitor.pk, "tea", "sea", **IN_B)
        event(visitor.pk, "tea", "click", hours=1, request_id=shown)
    roll_up()
    assert sums_of(of_b(phase, DAY), [METRICS["ctr"]])["ctr"] == totals_of([(1, 2)])


def gathered_b(phase, days_later):
    return gather(phase, DAY + days_later * ONE_DAY).treatments[0].totals


def test_requirement_12_a_window_counts_the_same_days_of_every_unit(phase):
    phase.experiment.window_days = 1
    late = answer("dan", "tea", hours=24, **IN_B)
    event("dan", "tea", "click", hours=25, request_id=late)
    assign(phase, "b", "dan")
    roll_up(DAY + ONE_DAY)
    assert gathered_b(phase, 0)["ctr"] == totals_of([(1, 3), (0, 2)])  # of Ann and Bob, as long as Dan is not there
    assert gathered_b(phase, 1)["ctr"] == totals_of([(1, 3), (0, 2), (1, 1)])  # Ann's second day is not her first
    assert gathered_b(phase, 1)["fallback_rate"].x == 4  # guardrails watch everything


def test_requirement_12_a_unit_counts_when_it_has_had_its_days(phase):
    phase.experiment.window_days = 2
    answer("dan", "tea", hours=24, **IN_B)
    assign(phase, "b", "dan")
    roll_up(DAY + ONE_DAY)
    assert gathered_b(phase, 0)["ctr"] == Totals()
    assert gathered_b(phase, 1)["ctr"] == totals_of([(2, 4), (0, 2)])
    assert gathered_b(phase, 2)["ctr"] == totals_of([(2, 4), (0, 2), (0, 1)])
