"""The one look at the planned sample: taken once for all treatments, and adjusted for how many there are."""

import pytest

from recommender_app.experiments.statistics.sums import from_arrays
from recommender_app.measurement.days import ONE_DAY
from recommender_app.measurement.readouts.gathering import Gathered, GatheredArm
from recommender_app.measurement.readouts.results import results_of
from recommender_app.measurement.readouts.snapshots import take_snapshot
from recommender_app.measurement.readouts.tables import rows_of
from recommender_app.models import Arm, Experiment, Phase, RolledUpDay, RollUp
from tests.app.measured import DAY
from tests.experiments.phases import STARTED, two_arms
from tests.experiments.populated import add_day, populate

pytestmark = pytest.mark.django_db
CLICKS = {"control": (0, 1, 2), "b": (1, 1, 2), "c": (0, 0, 0)}


@pytest.fixture
def phase():
    """Three arms, of which c is never shown anything that could be clicked before the second day."""
    experiment = Experiment.objects.create(key="e", name="e", use_case="books", status="running", min_days=1)
    phase = Phase.objects.create(experiment=experiment, number=1, enrol_salt="in", arm_salt="arm", planned_units=50)
    for key, weight in (("control", 3_334), ("b", 3_333), ("c", 3_333)):
        Arm.objects.create(phase=phase, key=key, is_control=key == "control", weight_bp=weight)
    phase.enrol_bp, phase.started_at = 10_000, STARTED
    phase.save()
    return phase


def planned(snapshot, name="fixed"):
    return {each["arm"]: each[name] for each in snapshot.results["primary"]}


def test_a_treatment_that_does_not_tell_yet_takes_no_second_look_at_the_others(phase):
    populate(phase, DAY - ONE_DAY, {**CLICKS, "b": (0, 0, 0), "control": (0, 0, 0)})
    RollUp.objects.filter(arm="b").update(clicks=0)
    RollUp.objects.filter(arm="c", user_id__endswith="1").update(clicks=5)
    first = take_snapshot(phase, DAY - ONE_DAY)
    assert planned(first)["b"] is None  # nobody of b or control has clicked
    assert planned(first)["c"] is not None
    add_day(phase, DAY, CLICKS)
    second = take_snapshot(phase, DAY)
    assert planned(second) == planned(first)
    assert planned(second, "fixed_as_of")["c"] == str(DAY - ONE_DAY)


def test_a_day_that_is_looked_at_late_takes_no_second_look(phase):
    populate(phase, DAY - ONE_DAY, CLICKS)
    late = RolledUpDay.objects.get(day=DAY - ONE_DAY)
    add_day(phase, DAY, {**CLICKS, "b": (3, 3, 4)})
    first = take_snapshot(phase, DAY)
    assert late.day < first.as_of
    assert planned(take_snapshot(phase, late.day)) == planned(first)


def test_several_treatments_share_the_level_of_the_planned_look(phase):
    populate(phase, clicks={"control": (0, 1, 2), "b": (1, 1, 2), "c": (1, 1, 2)})
    rows = {row["arm"]: row for row in rows_of(take_snapshot(phase, DAY)) if row["role"] == "primary"}
    single = sorted(rows[arm]["fixed_p_value"] for arm in ("b", "c"))
    adjusted = sorted(rows[arm]["fixed_p_adjusted"] for arm in ("b", "c"))
    assert adjusted[0] == pytest.approx(min(1, 2 * single[0]))
    assert adjusted[1] == pytest.approx(max(adjusted[0], single[1]))
    assert rows["control"]["fixed_p_adjusted"] is None


def test_it_is_locked_as_long_as_one_arm_lacks_one_user():
    phase = two_arms(planned_units=3)
    few, enough = from_arrays([0, 1], [2, 2]), from_arrays([0, 1, 1], [2, 2, 2])

    def seen(control, b):
        arms = (("control", control, True), ("b", b, False))
        totals = {"ctr": None, "fallback_rate": from_arrays([0, 1])}
        gathered = [GatheredArm(key, first, 5_000, totals={**totals, "ctr": each}) for key, each, first in arms]
        return results_of(Gathered(phase, DAY, tuple(gathered), 1)).primary[0]

    assert seen(few, enough).fixed is None
    assert seen(enough, few).fixed_p_adjusted is None
    assert seen(enough, enough).fixed_p_adjusted == seen(enough, enough).fixed.p_value == 1.0
