"""How an experiment lives: planned, started, stopped, planned anew, concluded.

Each function is one transaction with the experiment's row locked, adds to the trail, and refuses with one
ConfigurationError. ``at`` is when it happens: now, unless a simulation says otherwise.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils import timezone

from recommender_app.exceptions import ConfigurationError
from recommender_app.experiments.concluding import conclude
from recommender_app.experiments.enrolling import pause, ramp, resume
from recommender_app.experiments.locking import REASON_LENGTH, draft_phase, locked, running_phase
from recommender_app.experiments.starting import start_problems
from recommender_app.experiments.trail import configuration_hash, configuration_of, plan_of, record, state_of
from recommender_app.models import Arm, Experiment, Phase, RampStep
from recommender_app.registry.database import atomic
from recommender_app.usecases.site import get_use_case

__all__ = ["conclude", "create_experiment", "new_phase", "pause", "ramp", "resume", "start", "stop"]


def create_experiment(
    key: str,
    use_case: str,
    by: str,
    *,
    arms: Iterable[Mapping[str, Any]] = (),
    ramp_steps: Iterable[Mapping[str, Any]] = (),
    eligibility: Mapping[str, Any] | None = None,
    planned_units: int = 0,
    **plan: Any,
) -> Experiment:
    """Plan an experiment with its first phase; ``start`` checks what belongs together.

    Args:
        arms, ramp_steps: fields of the rows.
        plan: further fields of the experiment.

    Raises:
        ConfigurationError: a value is wrong, or the key is taken.
        UnknownUseCase: nothing is registered under the key.
    """
    get_use_case(use_case)
    with atomic():
        experiment = _saved(Experiment(**{"name": key, **plan, "key": key, "use_case": use_case, "created_by": by}))
        phase = Phase(experiment=experiment, number=1, eligibility=dict(eligibility or {}), planned_units=planned_units)
        phase.save()
        for arm in arms:
            _saved(Arm(phase=phase, **arm))
        for step in ramp_steps:
            _saved(RampStep(phase=phase, **step))
        record(experiment, "create", by, phase=phase, after=plan_of(experiment))
    return experiment


def start(experiment: Experiment, by: str, reason: str = "", *, at: datetime | None = None) -> Phase:
    """Start the phase that is planned: every process assigns units within RELOAD_SECONDS.

    Raises:
        ConfigurationError: something about it is wrong; nothing has started.
        UnknownUseCase: its use case is not registered.
    """
    with atomic():
        # All of the use case: what is started beside it now could want the same units.
        siblings = Experiment.objects.filter(use_case=experiment.use_case).order_by("pk")
        list(siblings.select_for_update(of=("self",)).values_list("pk"))
        experiment = locked(experiment)
        phase = _startable(experiment)
        before = state_of(experiment, phase)
        _begin(experiment, phase, at or timezone.now())
        after = state_of(experiment, phase) | {"config_hash": phase.config_hash} | configuration_of(phase)
        record(experiment, "start", by, phase=phase, before=before, after=after, reason=reason)
    return phase


def stop(experiment: Experiment, reason: str, by: str, *, at: datetime | None = None) -> Phase:
    """End the phase that runs, at once and for good: within RELOAD_SECONDS everybody gets the policy in force.

    Raises:
        ConfigurationError: nothing runs.
    """
    with atomic():
        experiment = locked(experiment)
        phase = running_phase(experiment)
        if phase is None:
            raise ConfigurationError(f"{experiment.key} does not run: there is nothing to stop.")
        before = state_of(experiment, phase)
        phase.ended_at, phase.end_reason = at or timezone.now(), reason[:REASON_LENGTH]
        phase.save(update_fields=["ended_at", "end_reason"])
        experiment.status = Experiment.Status.STOPPED
        experiment.save(update_fields=["status"])
        record(experiment, "stop", by, phase=phase, before=before, after=state_of(experiment, phase), reason=reason)
    return phase


def new_phase(experiment: Experiment, by: str) -> Phase:
    """Plan a further phase, a copy of the last one that will draw salts of its own: nothing is carried over.

    Raises:
        ConfigurationError: a phase is open, or the experiment is concluded.
    """
    with atomic():
        experiment = locked(experiment)
        if experiment.status == Experiment.Status.CONCLUDED:
            raise ConfigurationError(f"{experiment.key} is concluded: plan another experiment.")
        last = experiment.phases.order_by("number").last()
        if last is not None and last.ended_at is None:
            said = f"phase {last.number} runs, stop it first" if last.started_at else "a phase is being planned already"
            raise ConfigurationError(f"{experiment.key} gets no new phase: {said}.")
        before = state_of(experiment, last)
        phase = _copied(experiment, last)
        experiment.status = Experiment.Status.DRAFT
        experiment.save(update_fields=["status"])
        after = state_of(experiment, phase) | configuration_of(phase)
        record(experiment, "new phase", by, phase=phase, before=before, after=after)
    return phase


def _startable(experiment: Experiment) -> Phase:
    phase = draft_phase(experiment)
    if phase is None:
        hint = "it runs already" if running_phase(experiment) else "no phase is planned, begin a new one first"
        raise ConfigurationError(f"{experiment.key} was not started: {hint}.")
    problems = start_problems(experiment, phase)
    if problems:
        raise ConfigurationError(f"{experiment.key} was not started: {' '.join(problems)}")
    return phase


def _begin(experiment: Experiment, phase: Phase, now: datetime) -> None:
    phase.enrol_salt = phase.enrol_salt or secrets.token_hex(16)
    phase.arm_salt = phase.arm_salt or secrets.token_hex(16)
    first = phase.ramp_steps.filter(after_days=0, is_manual=False).first()
    if first is not None:
        first.activated_at, phase.enrol_bp = now, first.enrol_bp
        first.save(update_fields=["activated_at"])
    phase.config_hash, phase.started_at, phase.is_enrolling = configuration_hash(phase), now, True
    phase.save()
    experiment.status = Experiment.Status.RUNNING
    experiment.save(update_fields=["status"])


def _copied(experiment: Experiment, last: Phase | None) -> Phase:
    phase = Phase(experiment=experiment, number=last.number + 1 if last else 1)
    if last is not None:
        phase.eligibility, phase.planned_units = last.eligibility, last.planned_units
    phase.save()
    said = configuration_of(last) if last is not None else {"arms": [], "ramp": []}
    Arm.objects.bulk_create([Arm(phase=phase, **arm) for arm in said["arms"]])
    RampStep.objects.bulk_create([RampStep(phase=phase, **step) for step in said["ramp"]])
    return phase


def _saved(row: Any) -> Any:
    """Check and store a row."""
    try:
        row.full_clean()
    except ValidationError as error:
        said = "; ".join(_told(name, " ".join(messages)) for name, messages in error.message_dict.items())
        raise ConfigurationError(f"The {row._meta.verbose_name} {row} is not stored: {said}") from error
    row.save()
    return row


def _told(name: str, said: str) -> str:
    return said if name == NON_FIELD_ERRORS else f"{name}: {said}"
