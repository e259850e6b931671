"""A snapshot is one look a day: health, results and a verdict, from the roll-ups, never changed afterwards."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from recommender_app.exceptions import MeasurementError
from recommender_app.experiments.linking import COUNTED_AS_USER, CROSSOVER
from recommender_app.experiments.trail import record
from recommender_app.measurement.days import ONE_DAY
from recommender_app.measurement.readouts.gathering import gather
from recommender_app.measurement.readouts.results import results_of
from recommender_app.measurement.readouts.snapshots import days_to_look_at, recomputed_hash, take_snapshot
from recommender_app.models import Assignment, RolledUpDay, RollUp, Snapshot
from tests.app.measured import DAY, answer
from tests.experiments.phases import STARTED, two_arms
from tests.experiments.populated import N, add_day, populate, unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def phase():
    return two_arms(min_days=1)


def check(snapshot, name):
    return next(each for each in snapshot.health if each["check"] == name)


def test_an_arm_that_is_clicked_twice_as_often_wins(phase):
    populate(phase, DAY - ONE_DAY)
    add_day(phase, DAY)
    snapshot = take_snapshot(phase, DAY)
    assert (snapshot.verdict, snapshot.results["arm"]) == ("winner", "b")
    assert snapshot.sentence.startswith("b wins: click-through rate 2")
    assert {each["severity"] for each in snapshot.health} == {"green"}
    arms = snapshot.results["arms"]
    assert arms["control"]["exposed"] + arms["b"]["exposed"] == N
    assert arms["b"]["metrics"]["ctr"]["value"] == pytest.approx(0.2, abs=0.01)


def test_arms_that_are_alike_have_no_winner(phase):
    populate(phase, clicks={"control": (0, 1, 2), "b": (0, 1, 2)})
    assert take_snapshot(phase, DAY).verdict == "undecided"


def test_nothing_is_won_before_the_planned_days():
    phase = two_arms(min_days=14)
    populate(phase)
    assert take_snapshot(phase, DAY).verdict == "too_early"


def test_a_second_look_at_a_day_is_the_first_one(phase):
    populate(phase)
    first = take_snapshot(phase, DAY)
    assert recomputed_hash(first) == first.data_hash
    RollUp.objects.filter(user_id=unit(1)).update(clicks=9)
    assert take_snapshot(phase, DAY) == first
    assert Snapshot.objects.count() == 1
    assert recomputed_hash(first) != first.data_hash


def test_units_that_are_lost_hide_every_result(phase):
    populate(phase, lost=("b",))
    snapshot = take_snapshot(phase, DAY)
    assert snapshot.verdict == "unhealthy"
    assert check(snapshot, "sample_ratio")["severity"] == "red"
    assert snapshot.health[0]["severity"] == "red"


def test_a_unit_in_another_arm_than_its_hash_says_is_found(phase):
    populate(phase)
    row = Assignment.objects.filter(arm__key="b").first()
    QuerySet(Assignment).filter(pk=row.pk).update(arm=phase.arms.get(key="control"))
    snapshot = take_snapshot(phase, DAY)
    assert check(snapshot, "audit")["value"] == 1.0
    assert snapshot.verdict == "unhealthy"


def test_more_fallbacks_in_one_arm_are_red_and_hide_nothing(phase):
    populate(phase)
    RollUp.objects.filter(arm="b", user_id__endswith="1").update(fallbacks=1)
    snapshot = take_snapshot(phase, DAY)
    assert check(snapshot, "fallbacks")["severity"] == "red"
    assert snapshot.verdict != "unhealthy"


def test_units_left_out_are_counted_and_in_no_sum(phase):
    populate(phase)
    Assignment.objects.filter(unit_id__in=[unit(number) for number in range(20)]).update(excluded_reason="crossover")
    snapshot = take_snapshot(phase, DAY)
    assert check(snapshot, "excluded")["severity"] == "amber"
    arms = snapshot.results["arms"].values()
    assert sum(arm["excluded"] for arm in arms) == 20
    assert sum(arm["metrics"]["ctr"]["n"] for arm in arms) == N - 20


def test_the_one_look_at_the_planned_sample_stays_what_it_was():
    phase = two_arms(planned_units=150, min_days=1)
    populate(phase, DAY - ONE_DAY)
    first = take_snapshot(phase, DAY - ONE_DAY)
    add_day(phase, DAY, {"control": (3, 3, 3), "b": (0, 1, 2)})
    second = take_snapshot(phase, DAY)
    (before,), (after,) = first.results["primary"], second.results["primary"]
    assert before["fixed"] == after["fixed"]
    assert after["fixed_as_of"] == str(DAY - ONE_DAY)
    assert before["always_valid"] != after["always_valid"]


def test_days_before_the_first_answer_of_the_log_are_not_missing(phase):
    populate(phase)  # the phase started the day before, when nobody had asked for anything
    assert check(take_snapshot(phase, DAY), "days")["severity"] == "green"


def test_a_day_with_answers_that_is_not_rolled_up_is_missing(phase):
    answer(1, 1, hours=-24)
    populate(phase)
    missing = check(take_snapshot(phase, DAY), "days")
    assert (missing["severity"], missing["value"]) == ("amber", 1.0)


def test_a_day_that_is_not_over_cannot_be_looked_at(phase):
    populate(phase)
    RolledUpDay.objects.update(rolled_up_at=datetime.combine(DAY, datetime.min.time(), UTC) + timedelta(hours=12))
    with pytest.raises(MeasurementError, match="is not over, or not rolled up since"):
        take_snapshot(phase, DAY)
    with pytest.raises(MeasurementError, match="had not begun"):
        take_snapshot(phase, DAY - 5 * ONE_DAY)


def test_days_without_a_snapshot_are_due_once_they_are_rolled_up(phase):
    populate(phase)
    assert days_to_look_at(phase, DAY + 2 * ONE_DAY) == [DAY]
    take_snapshot(phase, DAY)
    assert days_to_look_at(phase, DAY + 2 * ONE_DAY) == []


WAYS = {
    "save": lambda row: row.save(),
    "update": lambda row: type(row).objects.update(**{type(row)._meta.ordering[0].strip("-"): 1}),
    "bulk update": lambda row: type(row).objects.bulk_update([row], ["phase"]),
    "upsert": lambda row: type(row).objects.update_or_create(pk=row.pk, defaults={"phase": row.phase}),
    "delete": lambda row: row.delete(),
    "delete all": lambda row: type(row).objects.all().delete(),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_trail", [False, True], ids=["snapshot", "trail"])
def test_snapshots_and_the_trail_are_only_ever_added(phase, is_trail, way):
    populate(phase)
    row = record(phase.experiment, "edit", "ann", phase=phase) if is_trail else take_snapshot(phase, DAY)
    with pytest.raises(ValidationError, match="stays as it was written"), transaction.atomic():
        WAYS[way](row)
    assert type(row).objects.filter(pk=row.pk).values().get() == type(row).objects.values().get()


def test_a_session_that_became_a_user_is_not_left_out(phase):
    populate(phase)
    arm = phase.arms.get(key="b")
    values = {"unit_type": "session", "arm": arm, "enrol_bucket": 0, "arm_bucket": 0, "enrol_bp": 10_000}
    for number, reason in enumerate([COUNTED_AS_USER] * 20 + [CROSSOVER]):
        Assignment.objects.create(
            phase=phase, unit_id=f"s{number}", excluded_reason=reason, assigned_at=STARTED, **values
        )
    left_out = {arm: told["excluded"] for arm, told in take_snapshot(phase, DAY).results["arms"].items()}
    assert left_out == {"control": 0, "b": 1}


def test_requirement_15_a_secondary_metric_changes_nothing_about_the_primary_one(phase):
    populate(phase)
    alone = results_of(gather(phase, DAY)).primary
    phase.experiment.secondary_metrics = ["conversion", "satisfaction", "rating", "session_seconds"]
    beside = results_of(gather(phase, DAY))
    assert beside.primary == alone
    assert len(beside.secondary) == 4
