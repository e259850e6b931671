"""What people and programs are told of an experiment: the command, the API and the plan."""

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import Value
from django.db.models.functions import Concat
from django.utils import timezone

from recommender_app.exceptions import ConfigurationError
from recommender_app.measurement.days import ONE_DAY, day_of
from recommender_app.measurement.readouts.planning import plan_of, sentence_of
from recommender_app.measurement.readouts.snapshots import take_snapshot
from recommender_app.measurement.readouts.watching import look_at_experiments
from recommender_app.models import Assignment, ExperimentChange, Phase, RolledUpDay, RollUp, Snapshot
from recommender_app.usecases.visitors import PREFIX
from tests.app.logins import as_staff
from tests.app.measured import DAY
from tests.experiments.phases import two_arms
from tests.experiments.populated import CLICKS, add_day, populate

pytestmark = pytest.mark.django_db
URL = "/api/recommender/experiments/e/"


@pytest.fixture
def phase():
    phase = two_arms(min_days=1, guardrails={"dislike_rate": 0.2})
    populate(phase)
    RolledUpDay.objects.create(use_case="books", day=DAY - ONE_DAY, rolled_up_at=timezone.now())  # nobody came
    return phase


@pytest.fixture
def staff(client):
    return as_staff(client, "view_experiment_results")


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("recommender_experiment", "e", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_tells_verdict_health_and_every_metric_of_every_arm(phase):
    take_snapshot(phase, DAY)
    lines = printed().splitlines()
    assert lines[0] == "e/1: e, 2 days"
    assert lines[1].startswith("b wins: click-through rate 2")
    assert sum(line.startswith("  ok   ") for line in lines) == 6
    (control, b) = (line.split() for line in lines if line.startswith("click-through"))
    assert (control[3], b[3]) == ("control", "b")
    assert float(b[5].removesuffix("%")) == pytest.approx(20, abs=1)


def test_the_command_says_what_is_missing(phase):
    assert "has no snapshot yet" in printed()
    assert "b wins" in printed("--take")
    with pytest.raises(CommandError, match="2026-01-01: there are those of 2026-03-09 to 2026-03-10"):
        printed("--day", "2026-01-01")
    with pytest.raises(CommandError, match="e has no phase 7"):
        printed("--phase", "7")
    with pytest.raises(CommandError, match="There is no experiment 'f'"):
        call_command("recommender_experiment", "f")


def test_csv_holds_every_day_and_json_the_last(phase):
    take_snapshot(phase, DAY)
    add_day(phase, DAY + ONE_DAY)
    take_snapshot(phase, DAY + ONE_DAY)
    rows = [row for row in csv.DictReader(io.StringIO(printed("--csv"))) if row["metric"] == "ctr"]
    assert [(row["as_of"], row["arm"]) for row in rows] == [
        ("2026-03-10", "control"), ("2026-03-10", "b"), ("2026-03-11", "control"), ("2026-03-11", "b"),
    ]  # fmt: skip
    one_day = csv.DictReader(io.StringIO(printed("--csv", "--day", "2026-03-10")))
    assert {row["as_of"] for row in one_day} == {"2026-03-10"}
    assert json.loads(printed("--json"))["as_of"] == "2026-03-11"
    assert json.loads(printed("--json", "--day", "2026-03-10"))["as_of"] == "2026-03-10"


def test_the_api_reads_snapshots_only(phase, staff, django_assert_max_num_queries):
    before = staff.get(URL).json()
    assert (before["verdict"], before["rows"]) == (None, [])
    take_snapshot(phase, DAY)
    RollUp.objects.all().delete()
    with django_assert_max_num_queries(8):
        answer = staff.get(URL).json()
    assert answer["verdict"] == "winner"
    assert answer["health"][0]["severity"] == "green"
    control, b = (row for row in answer["rows"] if row["metric"] == "ctr")
    assert (control["difference"], b["role"]) == (None, "primary")
    assert b["low"] > 0
    text = staff.get(URL, {"format": "csv"})
    assert text["Content-Type"] == "text/csv; charset=utf-8"
    assert len(list(csv.DictReader(io.StringIO(text.content.decode())))) == len(answer["rows"])
    assert staff.get(URL, {"format": "csv", "day": str(DAY)}).content == text.content
    assert staff.get(URL, {"format": "csv", "day": str(DAY + ONE_DAY)}).status_code == 400


@pytest.mark.parametrize(
    ("parameters", "status"),
    [({"phase": "9"}, 404), ({"phase": "x"}, 400), ({"day": "2026-01-01"}, 400), ({"by": "day"}, 400)],
)
def test_the_api_says_what_is_wrong(phase, staff, parameters, status):
    take_snapshot(phase, DAY)
    response = staff.get(URL, parameters)
    assert response.status_code == status, response.content
    assert response.json()["detail"]


def test_the_api_is_for_staff_with_the_permission(phase, client):
    assert client.get(URL).status_code == 401
    client.force_login(User.objects.create_user("ann", is_staff=True))
    assert client.get(URL).status_code == 403
    client.force_login(User.objects.create_superuser("root"))
    assert client.get(URL).status_code == 200
    for other in ("f", "%00", "%ff", "x" * 300, "e%20"):
        assert client.get(URL.replace("/e/", f"/{other}/")).status_code == 404, other


def test_the_plan_says_how_many_users_and_days_it_takes(phase):
    add_day(phase, DAY + ONE_DAY)
    plan = plan_of(phase, DAY + ONE_DAY)
    assert plan.site.n == 400
    assert plan.days is None  # 400 users came on the first day, and nobody else since
    assert f"needs {plan.per_arm:,} users per arm" in sentence_of(phase, plan)
    assert "cannot reach them in half a year" in sentence_of(phase, plan)
    phase.experiment.least_effect = 0.5
    assert plan_of(phase, DAY + ONE_DAY).days == 27  # as of the last 28 days: nobody came before the 27th
    with pytest.raises(ConfigurationError, match="cannot be planned"):
        plan_of(phase, DAY - timedelta(days=90))


def test_a_plan_counts_units_of_the_experiments_kind(phase):
    of_visitors = RollUp.objects.filter(pk__in=list(RollUp.objects.order_by("pk").values_list("pk", flat=True)[:150]))
    of_visitors.update(user_id=Concat(Value(PREFIX), "user_id"))
    assert plan_of(phase, DAY).site.n == 250
    phase.experiment.unit_type, phase.eligibility = "session", {"min_interactions": 5}
    plan = plan_of(phase, DAY)
    assert plan.site.n == 150
    told = sentence_of(phase, plan)
    assert f"needs {plan.per_arm:,} sessions per arm" in told
    assert told.endswith("All sessions are counted; the phase wants some of them only.")


def test_a_plan_is_kept_before_the_start_and_never_afterwards(phase):
    RollUp.objects.update(day=day_of(timezone.now()) - ONE_DAY)
    with pytest.raises(CommandError, match="has begun: what is planned cannot follow what was seen"):
        printed("--plan", "--store")
    Phase.objects.filter(pk=phase.pk).update(ended_at=timezone.now())
    draft = Phase.objects.create(experiment=phase.experiment, number=2)
    assert "e/2 is planned for" in printed("--plan", "--phase", "2", "--store")
    draft.refresh_from_db()
    assert draft.planned_units > 1_000
    assert ExperimentChange.objects.get(action="plan").after == {"planned_units": draft.planned_units}


def test_harm_stops_the_enrolment_once_and_a_person_may_go_on(phase):
    RollUp.objects.filter(arm="b").update(dislikes=1)
    RollUp.objects.filter(arm="control", user_id__endswith="3").update(dislikes=1)
    (_, snapshot) = look_at_experiments(timezone.now())
    assert (snapshot.verdict, snapshot.results["arm"]) == ("harmful", "b")
    phase.refresh_from_db()
    assert not phase.is_enrolling
    change = ExperimentChange.objects.get(action="pause")
    assert (change.changed_by, change.reason) == ("snapshot", snapshot.sentence)
    resumed = ExperimentChange.objects.create(experiment="e", phase=1, action="resume", changed_by="ann")
    Phase.objects.filter(pk=phase.pk).update(is_enrolling=True)
    assert list(look_at_experiments(timezone.now())) == []
    phase.refresh_from_db()
    assert phase.is_enrolling
    assert resumed.changed_at > snapshot.created_at


def test_earlier_phases_are_compared_within_and_averaged(phase):
    take_snapshot(phase, DAY)
    Phase.objects.filter(pk=phase.pk).update(ended_at=timezone.now())
    second = Phase.objects.create(experiment=phase.experiment, number=2, enrol_salt="in 2", arm_salt="arm 2")
    for arm in phase.arms.order_by("pk"):
        second.arms.create(key=arm.key, is_control=arm.is_control, weight_bp=arm.weight_bp)
    second.enrol_bp, second.started_at = 10_000, phase.started_at + 2 * ONE_DAY
    second.save()
    populate(second, DAY + 2 * ONE_DAY, CLICKS)
    snapshot = take_snapshot(second, DAY + 2 * ONE_DAY)
    assert snapshot.results["all_phases"]["b"]["n"] == 800
    assert Snapshot.objects.count() == 2


def second_phase(first, policy=None):
    """A phase with the same keys of arms as the first, which has ended."""
    Phase.objects.filter(pk=first.pk).update(ended_at=timezone.now())
    second = Phase.objects.create(experiment=first.experiment, number=2, enrol_salt="in 2", arm_salt="arm 2")
    for arm in first.arms.order_by("pk"):
        said = policy or {} if arm.key == "b" else {}
        second.arms.create(key=arm.key, is_control=arm.is_control, weight_bp=arm.weight_bp, policy=said)
    second.enrol_bp, second.started_at = 10_000, first.started_at + 2 * ONE_DAY
    second.save()
    populate(second, DAY + 2 * ONE_DAY, CLICKS)
    return take_snapshot(second, DAY + 2 * ONE_DAY)


def test_requirement_3_what_was_read_of_an_earlier_phase_stays_the_same_to_the_letter(phase):
    take_snapshot(phase, DAY)

    def read() -> list[str]:
        told = [printed("--phase", "1", *door) for door in ((), ("--csv",), ("--json",))]
        return [*told[:2], *(line for line in told[2].splitlines() if '"ended_at"' not in line)]

    before = read()
    second_phase(phase, policy={"diversity": 0.5})
    RollUp.objects.filter(phase=1).delete()
    assert read() == before


def test_phases_together_are_told_at_every_door(phase, staff):
    take_snapshot(phase, DAY)
    second_phase(phase)
    assert re.search(r"All phases together, click-through rate of b: [\d.]+% against [\d.]+%, \+", printed())
    (together,) = staff.get(URL).json()["all_phases"]
    assert (together["arm"], together["n"]) == ("b", 800)
    assert together["low"] > 0
    assert staff.get(URL, {"phase": 1}).json()["all_phases"] == []


def test_a_phase_whose_arms_did_something_else_asked_another_question(phase):
    take_snapshot(phase, DAY)
    assert second_phase(phase, policy={"diversity": 0.5}).results["all_phases"] == {}


def test_a_phase_that_could_not_be_believed_is_left_out(phase):
    Assignment.objects.filter(arm__key="control").delete()
    assert take_snapshot(phase, DAY).verdict == "unhealthy"
    assert second_phase(phase).results["all_phases"] == {}


def test_a_look_by_hand_stops_the_enrolment_too(phase, caplog):
    RollUp.objects.filter(arm="b").update(dislikes=1)
    RollUp.objects.filter(arm="control", user_id__endswith="3").update(dislikes=1)
    assert json.loads(printed("--take", "--json"))["verdict"] == "harmful"
    phase.refresh_from_db()
    assert not phase.is_enrolling
    assert "e/1 enrols nobody any more: Stop b" in caplog.text


def test_harm_stops_the_enrolment_also_where_units_are_lost(phase):
    RollUp.objects.filter(arm="b").update(dislikes=1)
    RollUp.objects.filter(arm="control", user_id__endswith="3").update(dislikes=1)
    Assignment.objects.filter(arm__key="b", unit_id__endswith="5").update(first_exposed_at=timezone.now())
    Assignment.objects.filter(arm__key="b", unit_id__regex="[1-7]$").update(first_exposed_at=None)
    (*_, snapshot) = look_at_experiments(timezone.now())
    assert snapshot.verdict == "unhealthy"
    phase.refresh_from_db()
    assert not phase.is_enrolling
    assert ExperimentChange.objects.get(action="pause").reason == "Stop b: dislikes per impression beyond the margin."


def test_a_guardrail_of_which_no_user_tells_is_not_taken_for_safe(phase):
    take_snapshot(phase, DAY)
    out = printed()
    assert "b wins: " in out
    assert "(not yet shown to be within the margin: dislikes per impression)" in out
    assert "dislikes per impression of b: undecided (the users do not tell yet)" in out
    assert "dislikes per impression (guardrail)" in out


def test_every_row_says_whether_it_can_be_read(phase):
    Assignment.objects.filter(arm__key="control").delete()
    take_snapshot(phase, DAY)
    assert {row["verdict"] for row in csv.DictReader(io.StringIO(printed("--csv")))} == {"unhealthy"}
