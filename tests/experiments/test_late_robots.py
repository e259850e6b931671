"""Who asks for more lists than any person reads is left out, in every arm alike, from the snapshot of that day on."""

import pytest

from recommender_app.experiments.late_robots import MOST_ANSWERS
from recommender_app.measurement.readouts.snapshots import take_snapshot
from recommender_app.models import Assignment, ExperimentChange, RollUp
from tests.app.measured import DAY
from tests.experiments.phases import two_arms
from tests.experiments.populated import N, populate, unit

pytestmark = pytest.mark.django_db
ROBOTS = [unit(number) for number in range(6)]  # of both arms


@pytest.fixture
def phase():
    phase = two_arms(min_days=1)
    populate(phase)
    return phase


def answered(*units: str, times: int, **fields) -> None:
    RollUp.objects.filter(user_id__in=units).update(requests=times, **fields)


def left_out() -> set[str]:
    return set(Assignment.objects.filter(excluded_reason="bot").values_list("unit_id", flat=True))


def test_robots_are_left_out_of_every_arm_and_of_every_sum(phase):
    answered(*ROBOTS, times=MOST_ANSWERS + 1)
    answered(unit(7), times=MOST_ANSWERS)
    snapshot = take_snapshot(phase, DAY)
    assert left_out() == set(ROBOTS)
    assert set(Assignment.objects.filter(excluded_reason="bot").values_list("arm__key", flat=True)) == {"control", "b"}
    arms = snapshot.results["arms"].values()
    assert sum(arm["metrics"]["ctr"]["n"] for arm in arms) == N - len(ROBOTS)
    assert sum(arm["excluded"] for arm in arms) == len(ROBOTS)
    row = ExperimentChange.objects.get()
    assert (row.action, row.changed_by, row.after) == ("leave out", "snapshot", {"units": 6, "excluded_reason": "bot"})
    assert row.reason == "More than 1,000 answers each on 2026-03-10."


def test_answers_of_several_engines_are_added_up(phase):
    answered(unit(1), times=MOST_ANSWERS)
    row = RollUp.objects.get(user_id=unit(1))
    row.pk, row.engine, row.requests = None, "popular", 1
    row.save()
    take_snapshot(phase, DAY)
    assert left_out() == {unit(1)}


def test_a_visitor_is_left_out_by_the_name_of_the_session(phase):
    row = Assignment.objects.get(unit_id=unit(1))
    Assignment.objects.filter(pk=row.pk).delete()
    row.pk, row.unit_type, row.unit_id = None, "session", "abc"
    Assignment.objects.bulk_create([row])
    RollUp.objects.filter(user_id=unit(1)).update(user_id="anonymous:abc", requests=MOST_ANSWERS + 1)
    take_snapshot(phase, DAY)
    assert left_out() == {"abc"}


def test_who_is_left_out_already_stays_so_for_the_same_reason(phase):
    Assignment.objects.filter(unit_id=unit(1)).update(excluded_reason="crossover")
    answered(unit(1), times=MOST_ANSWERS + 1)
    take_snapshot(phase, DAY)
    assert left_out() == set()
    assert not ExperimentChange.objects.exists()
