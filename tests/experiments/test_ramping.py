"""Ramps go up by themselves where days and numbers allow it, else they say why they wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from recommender_app import tasks
from recommender_app.exceptions import ConfigurationError
from recommender_app.experiments import lifecycle
from recommender_app.experiments.ramping import ramp_due
from recommender_app.models import ExperimentChange, Phase, Snapshot
from recommender_app.schedule import RAMP, beat_schedule

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
TWO_WEEKS = ({"after_days": 0, "enrol_bp": 1_000}, {"after_days": 7, "enrol_bp": 5_000})
ARMS = ({"key": "control", "is_control": True, "weight_bp": 5_000}, {"key": "b", "weight_bp": 5_000})


def day(number: float) -> datetime:
    return MONDAY + timedelta(days=number)


def running(steps=TWO_WEEKS, key="e", use_case="books") -> Phase:
    experiment = lifecycle.create_experiment(key, use_case, "ann", arms=ARMS, ramp_steps=steps)
    return lifecycle.start(experiment, "ann", at=MONDAY)


def look(phase: Phase, number: float, *health: dict, **results) -> None:
    """Store the snapshot of a day."""
    values = {"code_version": "1", "data_hash": "", "sums": {}, "results": results, "verdict": "", "sentence": ""}
    Snapshot.objects.create(phase=phase, as_of=day(number).date(), health=list(health), **values)


def enrolled(phase: Phase) -> int:
    return Phase.objects.get(pk=phase.pk).enrol_bp


def held(phase: Phase) -> list[str]:
    return list(phase.ramp_steps.order_by("after_days").values_list("held_reason", flat=True))


def test_ten_per_cent_in_week_one_and_half_in_week_two():
    phase = running()
    assert (phase.enrol_bp, ramp_due(now=day(6.9))) == (1_000, [])
    look(phase, 6)
    assert ramp_due(now=day(7)) == ["e/1: 50 % of the eligible are enrolled."]
    assert enrolled(phase) == 5_000
    assert ramp_due(now=day(8)) == []
    assert [step.activated_at for step in phase.ramp_steps.order_by("after_days")] == [day(0), day(7)]
    row = ExperimentChange.objects.latest("pk")
    assert (row.action, row.changed_by, row.before, row.after) == (
        "ramp",
        "beat",
        {"enrol_bp": 1_000},
        {"enrol_bp": 5_000},
    )


def test_a_breached_guardrail_closes_the_gate_though_the_numbers_can_be_believed():
    phase = running()
    told = [
        {"metric": "latency", "arm": "b", "safety": "safe"},
        {"metric": "dislike_rate", "arm": "b", "safety": "breached"},
    ]
    look(phase, 6, {"check": "srm", "severity": "green"}, guardrails=told)
    (line,) = ramp_due(now=day(7))
    assert "b does not keep its guardrail: dislikes per impression." in line
    assert enrolled(phase) == 1_000


@pytest.mark.parametrize(
    ("snapshot", "reason"),
    [
        (None, "No snapshot of the last two days"),
        ((2,), "No snapshot of the last two days"),
        ((6, {"check": "srm", "severity": "red", "sentence": "B has too few users."}), "B has too few users."),
        ((6, {"check": "audit", "severity": "red"}), "audit"),
    ],
)
def test_a_closed_gate_is_said_once_and_opens_when_all_is_well(snapshot, reason):
    phase = running()
    if snapshot:
        look(phase, *snapshot)
    (line,) = ramp_due(now=day(7))
    assert line.startswith("e/1: 50 % waits.")
    assert reason in line
    assert reason in held(phase)[1]
    assert ramp_due(now=day(7.1)) == []
    assert ExperimentChange.objects.filter(action="hold").count() == 1
    assert enrolled(phase) == 1_000
    look(phase, 7, {"check": "srm", "severity": "green"}, {"check": "fallback", "severity": "yellow"})
    assert len(ramp_due(now=day(8))) == 1
    assert (enrolled(phase), held(phase)) == (5_000, ["", ""])


def test_only_the_newest_snapshot_counts():
    phase = running()
    look(phase, 5, {"check": "srm", "severity": "red"})
    look(phase, 6)
    ramp_due(now=day(7))
    assert enrolled(phase) == 5_000


def test_a_manual_step_waits_for_a_person_however_green_all_is():
    phase = running(({"after_days": 0, "enrol_bp": 1_000}, {"after_days": 7, "enrol_bp": 5_000, "is_manual": True}))
    look(phase, 8)
    assert "waits for a person" in ramp_due(now=day(9))[0]
    lifecycle.ramp(phase, 5_000, "ann", at=day(9))
    assert (enrolled(phase), held(phase)) == (5_000, ["", ""])
    assert ramp_due(now=day(10)) == []


def test_a_first_step_that_is_manual_enrols_nobody():
    phase = running(({"after_days": 0, "enrol_bp": 1_000, "is_manual": True},))
    assert phase.enrol_bp == 0
    assert "waits for a person" in ramp_due(now=day(0))[0]


def test_a_late_step_moves_the_next_one_so_that_each_share_has_its_days():
    phase = running((*TWO_WEEKS, {"after_days": 14, "enrol_bp": 10_000}))
    look(phase, 20)
    ramp_due(now=day(20))
    assert enrolled(phase) == 5_000
    look(phase, 21)
    assert "7 days with it are planned" in ramp_due(now=day(21))[0]
    assert enrolled(phase) == 5_000
    look(phase, 27)
    ramp_due(now=day(27))
    assert enrolled(phase) == 10_000


def test_a_pause_holds_the_ramp():
    phase = running()
    look(phase, 7)
    lifecycle.pause(phase, "ann")
    assert "The phase is paused." in ramp_due(now=day(7))[0]
    lifecycle.resume(phase, "ann")
    ramp_due(now=day(7))
    assert enrolled(phase) == 5_000


def test_who_ramps_by_hand_further_is_not_taken_back():
    phase = running((*TWO_WEEKS, {"after_days": 14, "enrol_bp": 7_000}))
    lifecycle.ramp(phase, 9_000, "ann", at=day(1))
    look(phase, 14)
    assert ramp_due(now=day(15)) == []
    assert enrolled(phase) == 9_000


def test_a_share_that_was_lowered_by_hand_goes_up_with_the_next_step_only():
    phase = running()
    lifecycle.ramp(phase, 500, "ann", at=day(1))
    look(phase, 6)
    assert ramp_due(now=day(2)) == []
    ramp_due(now=day(7))
    assert enrolled(phase) == 5_000


def test_stopped_phases_have_no_steps_due():
    phase = running()
    lifecycle.stop(phase.experiment, "", "ann", at=day(1))
    assert ramp_due(now=day(7)) == []


def test_one_experiment_does_not_wait_for_another():
    first, second = running(), running(key="f", use_case="movies")
    look(second, 6)
    assert len(ramp_due(now=day(7))) == 2
    assert (enrolled(first), enrolled(second)) == (1_000, 5_000)


def test_nothing_running_costs_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        assert ramp_due() == []


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        (({"after_days": 0, "enrol_bp": 5_000}, {"after_days": 7, "enrol_bp": 1_000}), "from 50 % to 10 %"),
    ],
)
def test_a_ramp_that_falls_is_not_started(steps, problem):
    with pytest.raises(ConfigurationError, match=problem):
        running(steps)


def test_the_task_and_the_command_are_doors_to_the_same(capsys):
    phase = running()
    assert "50 % waits. No snapshot" in tasks.ramp_experiments.apply(throw=True).get()
    call_command("recommender_ramp")
    assert "No step is due that has not said already" in capsys.readouterr().out
    lifecycle.pause(phase, "ann")
    call_command("recommender_ramp")
    assert "e/1: 50 % waits. The phase is paused." in capsys.readouterr().out
    assert ExperimentChange.objects.latest("pk").changed_by == "recommender_ramp"


def test_beat_asks_every_hour():
    assert beat_schedule()[RAMP]["schedule"] == 3600
