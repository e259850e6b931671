"""How experiments live: planned, started, ramped, paused, stopped, planned anew, concluded; and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from recommender_app.exceptions import UnknownUseCase
from recommender_app.experiments import lifecycle
from recommender_app.experiments.phases import read_running
from recommender_app.experiments.ramping import ramp_due
from recommender_app.experiments.templates import TEMPLATES, create_from_template
from recommender_app.experiments.trail import configuration_of
from recommender_app.models import (
    Arm,
    Experiment,
    ExperimentChange,
    Phase,
    PolicyChange,
    Release,
    ServingPolicy,
)
from recommender_app.registry.policies import save_policy
from recommender_app.serving.policies import decide
from tests.experiments.planned import planned, refused

pytestmark = pytest.mark.django_db


def trail() -> list[tuple]:
    return list(ExperimentChange.objects.order_by("pk").values_list("action", "phase", "changed_by", "reason"))


def test_a_life_from_a_template_to_a_winner_is_told_by_the_trail():
    experiment = planned("als_warm")
    phase = lifecycle.start(experiment, "ann", "Monday")
    assert (phase.enrol_bp, phase.is_enrolling, phase.ended_at) == (1_000, True, None)
    assert lifecycle.ramp(phase, 2_000, "bob").enrol_bp == 2_000
    assert not lifecycle.pause(phase, "bob", "a holiday").is_enrolling
    assert lifecycle.resume(phase, "bob").is_enrolling
    assert lifecycle.stop(experiment, "too slow", "cleo").end_reason == "too slow"
    second = lifecycle.new_phase(experiment, "ann")
    assert lifecycle.start(experiment, "ann").number == second.number == 2
    assert lifecycle.conclude(experiment, "als", "ann", "clear").winner == "als"
    assert trail() == [
        ("create", 1, "ann", ""),
        ("start", 1, "ann", "Monday"),
        ("ramp", 1, "bob", ""),
        ("pause", 1, "bob", "a holiday"),
        ("resume", 1, "bob", ""),
        ("stop", 1, "cleo", "too slow"),
        ("new phase", 2, "ann", ""),
        ("start", 2, "ann", ""),
        ("conclude", 2, "ann", "clear"),
    ]
    experiment.refresh_from_db()
    assert experiment.status == "concluded"
    assert not Phase.objects.filter(ended_at__isnull=True).exists()


def test_every_move_says_who_what_when_and_what_was_before_and_after():
    experiment = planned("als_warm")
    phase = lifecycle.start(experiment, "ann")
    lifecycle.ramp(phase, 2_000, "ann")
    lifecycle.pause(phase, "ann")
    assert ramp_due("ann", now=phase.started_at + timedelta(days=7))  # which waits
    lifecycle.resume(phase, "ann")
    lifecycle.stop(experiment, "", "ann")
    lifecycle.new_phase(experiment, "ann")
    lifecycle.conclude(experiment, "als", "ann")
    rows = {row.action: row for row in ExperimentChange.objects.all()}
    dropped = rows.pop("delete")  # the phase that was planned next
    assert (dropped.changed_by, dropped.phase, bool(dropped.before), dropped.after) == ("ann", 2, True, None)
    assert set(rows) == {"create", "start", "ramp", "pause", "hold", "resume", "stop", "new phase", "conclude"}
    for action, row in rows.items():
        assert (row.changed_by, row.experiment, row.changed_at is not None) == ("ann", "test", True), action
        assert (row.before is None) == (action == "create"), action
        assert row.after, action
        changed = {name for name in row.after if (row.before or {}).get(name) != row.after[name]}
        assert changed, action
    assert (rows["pause"].before["is_enrolling"], rows["pause"].after["is_enrolling"]) == (True, False)
    assert (rows["stop"].before["status"], rows["stop"].after["status"]) == ("running", "stopped")
    assert (rows["stop"].before["ended_at"], rows["start"].before["status"]) == (None, "draft")
    assert rows["conclude"].after["winner"] == "als"


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_can_be_started_as_it_is(name):
    phase = lifecycle.start(planned(name), "ann")
    assert sum(phase.arms.values_list("weight_bp", flat=True)) == 10_000
    assert phase.enrol_bp > 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda arm: arm.delete(), "It needs two arms or more."),
        (lambda arm: setattr(arm, "weight_bp", 4_999), "The arms' weights make 99.99 %: they must make 100 %"),
        (lambda arm: setattr(arm, "is_control", False), "Exactly one arm must be the control."),
        (lambda arm: setattr(arm, "policy", [1]), "Arm control: Write"),
        (lambda arm: setattr(arm, "policy", {"rutes": []}), "nothing about 'rutes': did you mean 'routes'?"),
        (lambda arm: setattr(arm, "policy", {"colour": 1}), "nothing about 'colour': choose from cold_start"),
        (lambda arm: setattr(arm, "policy", {"routes": [[0, "alz"]]}), "routes: There is no engine 'alz'"),
        (lambda arm: setattr(arm, "policy", {"routes": [[5, "als"]]}), "routes: One route must begin at 0"),
        (lambda arm: setattr(arm, "policy", {"routes": [[0, "als"]], "warm_user_threshold": 30}), "not both"),
        (lambda arm: setattr(arm, "policy", {"disabled": ["alz"]}), "disabled: There is no engine 'alz'"),
        (lambda arm: setattr(arm, "policy", {"weights": {"als": -1}}), "weights: A weight is a number from 0"),
        (lambda arm: setattr(arm, "policy", {"fusion": "sum"}), "fusion: Value 'sum' is not a valid choice."),
        (lambda arm: setattr(arm, "policy", {"diversity": 1.5}), "Diversity must be between 0 and 1."),
        (lambda arm: setattr(arm, "policy", {"diversity": "0.5"}), "diversity: write a number, not '0.5'."),
        (lambda arm: setattr(arm, "policy", {"diversity": True}), "diversity: write a number, not True."),
        (lambda arm: setattr(arm, "policy", {"diversity": None}), "diversity: leave it out instead of writing null."),
        (lambda arm: setattr(arm, "policy", {"fatigue_after": 1.5}), "fatigue_after: write a whole number, not 1.5."),
        (lambda arm: setattr(arm, "policy", {"cold_start_threshold": 30}), "warm user threshold in force is 20"),
        (lambda arm: setattr(arm, "policy", {"caps": {"colour": 2}}), "caps: there is no attribute 'colour'"),
        (lambda arm: setattr(arm, "policy", {"caps": [2]}), "caps: Write"),
        (lambda arm: setattr(arm, "policy", {"release": 7}), "release: there is no release 7 of books"),
        (lambda arm: setattr(arm, "policy", {"release": "7"}), "release: write a whole number, not '7'."),
        (lambda arm: setattr(arm, "policy", {"caps": {"a": {"b": {"c": {}}}}}), "levels of brackets"),
    ],
)
def test_arms_that_cannot_be_served_are_not_started(change, sentence):
    experiment = planned()
    arm = Arm.objects.get(key="control")
    change(arm)
    if arm.pk:
        arm.save()
    said = refused(lifecycle.start, experiment, "ann")
    assert said.startswith("test was not started: ")
    assert sentence in said
    assert not Phase.objects.filter(started_at__isnull=False).exists()
    assert [action for action, *_ in trail()] == ["create"]


def test_each_step_of_a_life_is_refused_out_of_its_order():
    experiment = planned()
    phase = experiment.phases.get()
    assert "does not run" in refused(lifecycle.ramp, phase, 5_000, "ann")
    assert "does not run" in refused(lifecycle.pause, phase, "ann")
    assert "nothing to stop" in refused(lifecycle.stop, experiment, "", "ann")
    assert "never started" in refused(lifecycle.conclude, experiment, "control", "ann")
    assert "is being planned already" in refused(lifecycle.new_phase, experiment, "ann")
    phase = lifecycle.start(experiment, "ann")
    assert "it runs already" in refused(lifecycle.start, experiment, "ann")
    assert "enrols 100 % already" in refused(lifecycle.ramp, phase, 10_000, "ann")
    assert "from 0 to 10000" in refused(lifecycle.ramp, phase, 10_001, "ann")
    assert "is not paused" in refused(lifecycle.resume, phase, "ann")
    lifecycle.pause(phase, "ann")
    assert "is paused already" in refused(lifecycle.pause, phase, "ann")
    assert "phase 1 runs, stop it first" in refused(lifecycle.new_phase, experiment, "ann")
    assert "has no arm 'b': control, same" in refused(lifecycle.conclude, experiment, "b", "ann")
    lifecycle.conclude(experiment, "control", "ann")
    assert "concluded already: control won" in refused(lifecycle.conclude, experiment, "control", "ann")
    assert "plan another experiment" in refused(lifecycle.new_phase, experiment, "ann")
    assert "begin a new one first" in refused(lifecycle.start, experiment, "ann")
    assert "does not run" in refused(lifecycle.ramp, phase, 5_000, "ann")


def test_what_is_planned_wrongly_is_said_at_once():
    assert "already exists" in refused(create_from_template, "a_a", "books", planned().key, "ann")
    assert "There is no template 'b_b': choose from four_groups" in refused(
        create_from_template, "b_b", "books", "x", "ann"
    )
    assert "valid" in refused(create_from_template, "a_a", "books", "not a key", "ann")
    assert "weight is from 1" in refused(
        lifecycle.create_experiment, "y", "books", "ann", arms=[{"key": "a", "weight_bp": 0}]
    )
    two = [{"key": key, "weight_bp": 5_000, "is_control": True} for key in ("a", "b")]
    assert refused(lifecycle.create_experiment, "y", "books", "ann", arms=two).endswith(
        "not stored: Only one arm can be the control."
    )
    steep = [{"enrol_bp": 20_000}]
    assert "from 0 to 10000 basis points" in refused(lifecycle.create_experiment, "y", "books", "ann", ramp_steps=steep)
    with pytest.raises(UnknownUseCase):
        create_from_template("a_a", "films", "x", "ann")
    assert Experiment.objects.count() == 1


def test_a_new_phase_is_the_same_with_other_salts():
    experiment = planned("als_warm")
    first = lifecycle.start(experiment, "ann")
    lifecycle.stop(experiment, "", "ann")
    lifecycle.new_phase(experiment, "ann")
    assert Experiment.objects.get().status == "draft"
    second = lifecycle.start(experiment, "ann")
    assert configuration_of(first) == configuration_of(second)
    assert len({first.enrol_salt, first.arm_salt, second.enrol_salt, second.arm_salt}) == 4
    assert first.config_hash != second.config_hash
    assert len(first.config_hash) == 64


def test_what_starts_is_in_force_and_what_stops_is_not():
    experiment = planned()
    assert read_running("books") == ()
    phase = lifecycle.start(experiment, "ann")
    (running,) = read_running("books")
    assert (running.pk, [arm.key for arm in running.arms]) == (phase.pk, ["control", "same"])
    lifecycle.stop(experiment, "", "ann")
    assert read_running("books") == ()


def test_the_winner_is_written_over_the_policy_in_force_and_the_rest_of_it_stays():
    save_policy(ServingPolicy(use_case="books", name="spring", diversity=0.25, cold_start_threshold=7), by="bob")
    experiment = planned("als_warm")
    lifecycle.start(experiment, "ann")
    lifecycle.conclude(experiment, "als", "ann", write_policy=True)
    policy = ServingPolicy.objects.get()
    assert (policy.name, policy.diversity, policy.cold_start_threshold) == ("spring", 0.25, None)
    assert policy.routes == [[0, "content_based"], [5, "als"]]
    assert policy.disabled == ["ensemble", "two_tower"]
    assert decide("books").primary(5) == "als"
    assert PolicyChange.objects.latest("pk").changed_by == "ann"
    after = ExperimentChange.objects.latest("pk").after
    assert (after["winner"], after["policy"]) == ("als", "spring")


def test_thresholds_of_a_winner_replace_routes():
    save_policy(ServingPolicy(use_case="books", name="spring", routes=[[0, "als"]]), by="bob")
    experiment = planned()
    Arm.objects.filter(key="same").update(policy={"warm_user_threshold": 30})
    lifecycle.start(experiment, "ann")
    lifecycle.conclude(experiment, "same", "ann", write_policy=True)
    policy = ServingPolicy.objects.get()
    assert (policy.routes, policy.warm_user_threshold) == ([], 30)


def test_without_a_policy_the_winner_becomes_one_named_after_the_experiment():
    experiment = planned("four_groups", key="k" * 60)
    lifecycle.start(experiment, "ann")
    lifecycle.stop(experiment, "time is up", "ann")
    lifecycle.conclude(experiment, "c", "ann", write_policy=True)
    policy = ServingPolicy.objects.get()
    assert (policy.name, policy.is_active) == ("k" * 40, True)
    assert policy.routes == [[0, "content_based"], [5, "als"], [20, "ensemble"]]


def test_a_winner_that_says_nothing_changes_no_policy_and_nothing_is_written_unasked():
    for key, winner, writes in (("one", "control", True), ("two", "als", False)):
        experiment = planned("a_a" if writes else "als_warm", key)
        lifecycle.start(experiment, "ann")
        lifecycle.conclude(experiment, winner, "ann", write_policy=writes)
    assert not ServingPolicy.objects.exists()


def test_a_pinned_release_is_no_policy():
    experiment = planned()
    Release.objects.create(use_case="books", number=3, status="live", promoted_at=timezone.now())
    Arm.objects.filter(key="same").update(policy={"release": 3})
    lifecycle.start(experiment, "ann")
    said = refused(lifecycle.conclude, experiment, "same", "ann", write_policy=True)
    assert "recommender_rollback books --to 3" in said
    assert Experiment.objects.get().status == "running"
    lifecycle.conclude(experiment, "same", "ann")


def test_concluding_drops_the_phase_that_was_planned_next():
    experiment = planned()
    lifecycle.start(experiment, "ann")
    lifecycle.stop(experiment, "", "ann")
    lifecycle.new_phase(experiment, "ann")
    lifecycle.conclude(experiment, "control", "ann")
    assert Phase.objects.get().number == 1
    row = ExperimentChange.objects.get(action="delete")
    assert (row.phase, row.changed_by, len(row.before["arms"])) == (2, "ann", 2)
