"""The end of an experiment: which arm won, and, as its full rollout, the winner in the serving policy."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from recommender_app.exceptions import ConfigurationError
from recommender_app.experiments.arm_policies import RELEASE
from recommender_app.experiments.locking import REASON_LENGTH, draft_phase, locked
from recommender_app.experiments.trail import configuration_of, record, state_of
from recommender_app.models import Arm, Experiment, Phase, ServingPolicy
from recommender_app.registry.database import atomic
from recommender_app.registry.policies import active_policy, save_policy

THRESHOLDS = ("cold_start_threshold", "warm_user_threshold")


def conclude(
    experiment: Experiment,
    winner_key: str,
    by: str,
    reason: str = "",
    *,
    write_policy: bool = False,
    at: datetime | None = None,
) -> Experiment:
    """Name the winner and end the phase that runs.

    Args:
        write_policy: also write what the winning arm says into the active policy of the use case: everybody is
            served by it within RELOAD_SECONDS, and nothing else of the policy changes.

    Raises:
        ConfigurationError: it was never started or is concluded, there is no such arm, or its policy cannot be written.
    """
    with atomic():
        experiment = locked(experiment)
        phase = _judged(experiment)
        arm = phase.arms.filter(key=winner_key).first()
        if arm is None:
            keys = ", ".join(phase.arms.values_list("key", flat=True))
            raise ConfigurationError(f"Phase {phase.number} of {experiment.key} has no arm {winner_key!r}: {keys}.")
        before = state_of(experiment, phase) | {"winner": experiment.winner}
        policy = _write(experiment, arm, by) if write_policy else None
        _drop_draft(experiment, by)
        _end(experiment, phase, winner_key, reason, at or timezone.now())
        said: dict[str, Any] = {"winner": winner_key, "policy": policy.name if policy else None}
        after = state_of(experiment, phase) | said
        record(experiment, "conclude", by, phase=phase, before=before, after=after, reason=reason)
    return experiment


def _judged(experiment: Experiment) -> Phase:
    """Return the phase that was started last."""
    if experiment.status == Experiment.Status.CONCLUDED:
        raise ConfigurationError(f"{experiment.key} is concluded already: {experiment.winner} won.")
    phase = experiment.phases.filter(started_at__isnull=False).order_by("number").last()
    if phase is None:
        raise ConfigurationError(f"{experiment.key} was never started: there is nothing to conclude.")
    return phase


def _drop_draft(experiment: Experiment, by: str) -> None:
    """Delete the phase that was planned next, which nobody will start; what it said stays in the trail."""
    draft = draft_phase(experiment)
    if draft is not None:
        record(experiment, "delete", by, phase=draft, before=configuration_of(draft))
        draft.delete()


def _end(experiment: Experiment, phase: Phase, winner_key: str, reason: str, now: datetime) -> None:
    if phase.ended_at is None:
        phase.ended_at, phase.end_reason = now, (reason or f"Concluded: {winner_key} won.")[:REASON_LENGTH]
        phase.save(update_fields=["ended_at", "end_reason"])
    experiment.status, experiment.winner = Experiment.Status.CONCLUDED, winner_key
    experiment.save(update_fields=["status", "winner"])


def _write(experiment: Experiment, arm: Arm, by: str) -> ServingPolicy | None:
    """Write what an arm says over the active policy; an arm that says nothing changes nothing."""
    if RELEASE in arm.policy:
        back = f"recommender_rollback {experiment.use_case} --to {arm.policy[RELEASE]}"
        raise ConfigurationError(
            f"Arm {arm.key} pins a release, which no policy holds: make that live ({back}), then conclude without it."
        )
    if not arm.policy:
        return None
    active = active_policy(experiment.use_case)
    policy = active or ServingPolicy(use_case=experiment.use_case, name=experiment.key[:40])
    for name, value in _said(policy, arm.policy).items():
        setattr(policy, name, value)
    return save_policy(policy, by=by)


def _said(policy: ServingPolicy, said: dict[str, Any]) -> dict[str, Any]:
    """Return the values to set: routes replace thresholds and the reverse; switched off is what either switches off."""
    values = dict(said)
    if "routes" in said:
        values |= dict.fromkeys(THRESHOLDS)
    elif any(name in said for name in THRESHOLDS):
        values["routes"] = []
    if "disabled" in said:
        values["disabled"] = sorted({*policy.disabled, *said["disabled"]})
    return values
