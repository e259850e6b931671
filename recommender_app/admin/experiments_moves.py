"""What people may do to an experiment: each move has a page that says what it will do and asks whether and why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django import forms

from recommender_app.admin.experiments_forms import ShareForm, WinnerForm
from recommender_app.exceptions import RecommenderError
from recommender_app.experiments import lifecycle
from recommender_app.experiments.arm_engines import missing_engines
from recommender_app.experiments.starting import start_problems
from recommender_app.measurement.readouts.stored import snapshot_of
from recommender_app.models import Arm, Experiment, Phase
from recommender_app.usecases.site import all_use_cases

RUN = "recommender_app.run_experiments"
RESULTS = "recommender_app.view_experiment_results"


@dataclass(frozen=True)
class Move:
    """One thing to do.

    Attributes:
        label: of its button.
        question: of its page.
        suits: whether it makes sense for an experiment's newest phase.
        do: (experiment, phase, values of the form, reason, by) -> what was done, in a sentence.
        form: what is asked beside the reason.
        needs_reason: whether it is not done without one.
    """

    label: str
    question: str
    suits: Callable[[Experiment, Phase], bool]
    do: Callable[[Experiment, Phase, dict[str, Any], str, str], str]
    form: Callable[[Any, Phase], forms.Form] | None = None
    needs_reason: bool = False


def moves_for(experiment: Experiment, phase: Phase | None) -> dict[str, Move]:
    """Return the moves that make sense now."""
    if phase is None:
        return {}
    return {name: move for name, move in MOVES.items() if move.suits(experiment, phase)}


def newest_phase(experiment: Experiment) -> Phase | None:
    """Return the phase that is planned or runs, else the last one."""
    return experiment.phases.order_by("number").last()


def told(experiment: Experiment, phase: Phase, name: str, *, may_read: bool) -> list[str]:
    """Return what a move's page says beside its question: engines that are missing; the verdict, to who may read it."""
    arms = [f"Arm {arm.key}, {arm.weight_bp / 100:g} %: {_shown(arm.policy, 'as in force')}" for arm in _arms(phase)]
    lines = [f"{experiment.name}: phase {phase.number} for {experiment.use_case}, primary {experiment.primary_metric}"]
    lines += [f"Enrolled now: {phase.enrol_bp / 100:g} % of {_shown(phase.eligibility, 'everybody')}", *arms]
    lines += [f"Ramp: {step}{', by hand' if step.is_manual else ''}" for step in phase.ramp_steps.all()]
    if name == "start":
        return [*_unseen_visitors(experiment), *missing_engines(experiment.use_case, _arms(phase)), *lines]
    return [*_verdict(phase), *lines] if may_read and name in ("stop", "conclude") else lines


def _unseen_visitors(experiment: Experiment) -> list[str]:
    """Say it where sessions are to be enrolled by a use case that answers nobody without a login."""
    answering = [use_case.key for use_case in all_use_cases() if use_case.allow_anonymous_lists]
    if experiment.unit_type != Experiment.UnitType.SESSION or experiment.use_case in answering:
        return []
    return [
        f"{experiment.use_case} answers nobody without a login: no session is enrolled (see allow_anonymous_lists)."
    ]


def _verdict(phase: Phase) -> list[str]:
    snapshot = snapshot_of(phase)
    if snapshot is None:
        return ["No snapshot has been taken yet: nothing is known about any arm."]
    return [f"As of {snapshot.as_of}: {snapshot.sentence}"]


def _arms(phase: Phase) -> Iterable[Arm]:
    return phase.arms.order_by("pk")


def _shown(value: Any, nothing: str) -> str:
    return json.dumps(value) if value else nothing


def in_the_way(experiment: Experiment, phase: Phase, name: str) -> list[str]:
    """Return why a move cannot be made, before anybody confirms it; [] = nothing is known against it."""
    if name != "start":
        return []
    try:
        return start_problems(experiment, phase)
    except RecommenderError as error:
        return [str(error)]


def _runs(_experiment: Experiment, phase: Phase) -> bool:
    return phase.started_at is not None and phase.ended_at is None


def _start(experiment: Experiment, _phase: Phase, _values: dict[str, Any], reason: str, by: str) -> str:
    return f"Started: {lifecycle.start(experiment, by, reason)} runs."


def _ramp(_experiment: Experiment, phase: Phase, values: dict[str, Any], reason: str, by: str) -> str:
    phase = lifecycle.ramp(phase, values["share"], by, reason)
    return f"Ramped: {phase} enrols {phase.enrol_bp / 100:g} %."


def _pause(_experiment: Experiment, phase: Phase, _values: dict[str, Any], reason: str, by: str) -> str:
    return f"Paused: {lifecycle.pause(phase, by, reason)} enrols nobody more."


def _resume(_experiment: Experiment, phase: Phase, _values: dict[str, Any], reason: str, by: str) -> str:
    return f"Resumed: {lifecycle.resume(phase, by, reason)} enrols again."


def _stop(experiment: Experiment, _phase: Phase, _values: dict[str, Any], reason: str, by: str) -> str:
    return f"Stopped: {lifecycle.stop(experiment, reason, by)} serves nobody any more."


def _new_phase(experiment: Experiment, _phase: Phase, _values: dict[str, Any], _reason: str, by: str) -> str:
    return f"Planned: {lifecycle.new_phase(experiment, by)}, to be changed and started."


def _conclude(experiment: Experiment, _phase: Phase, values: dict[str, Any], reason: str, by: str) -> str:
    writes = values["write_policy"]
    done = lifecycle.conclude(experiment, values["winner"], by, reason, write_policy=writes)
    return f"Concluded: {done.winner} won {done}{' and is in the serving policy' if writes else ''}."


MOVES: dict[str, Move] = {
    "start": Move(
        "Start",
        "From the start on, nothing about this can be changed but how many units are enrolled. Start it?",
        lambda experiment, phase: phase.started_at is None,
        _start,
    ),
    "ramp": Move("Ramp", "Who is in stays in, also if you enrol fewer. Enrol how many?", _runs, _ramp, ShareForm),
    "pause": Move(
        "Pause",
        "Nobody new is enrolled, who is in stays in. Pause it?",
        lambda experiment, phase: _runs(experiment, phase) and phase.is_enrolling,
        _pause,
    ),
    "resume": Move(
        "Resume",
        "Units are enrolled again. Resume?",
        lambda experiment, phase: _runs(experiment, phase) and not phase.is_enrolling,
        _resume,
    ),
    "stop": Move(
        "Stop",
        "Everybody is served by the policy in force within seconds, and the phase never runs again. Stop it?",
        _runs,
        _stop,
        needs_reason=True,
    ),
    "new-phase": Move(
        "New phase",
        "A copy of this phase, to be changed and started: everybody is assigned anew. Plan it?",
        lambda experiment, phase: phase.ended_at is not None and experiment.status != Experiment.Status.CONCLUDED,
        _new_phase,
    ),
    "conclude": Move(
        "Conclude",
        "The phase ends, and no other begins. Which arm won?",
        lambda experiment, phase: phase.started_at is not None and experiment.status != Experiment.Status.CONCLUDED,
        _conclude,
        WinnerForm,
    ),
}
