"""Ramps that go up by themselves: a step that is due is taken if nothing speaks against it, else it says why it waits.

A step needs the time planned since the step before, a snapshot of the last two days without anything red and without
a breached guardrail, and a phase that is not paused; one that is manual waits for a person.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from recommender_app.experiments.enrolling import set_share
from recommender_app.experiments.locking import locked, running_phase
from recommender_app.experiments.metrics import METRICS
from recommender_app.experiments.trail import record
from recommender_app.models import Experiment, Phase, RampStep, Snapshot
from recommender_app.registry.database import atomic

RED, BREACHED = "red", "breached"
FRESH = timedelta(days=2)  # a snapshot stands for a whole day of UTC and is taken after its end
HELD_LENGTH = 200  # characters of RampStep.held_reason


def ramp_due(by: str = "beat", *, now: datetime | None = None) -> list[str]:
    """Take the due steps of all running phases; return a line for each that was taken or begins to wait."""
    now = now or timezone.now()
    waiting = RampStep.objects.filter(
        activated_at__isnull=True, phase__started_at__isnull=False, phase__ended_at__isnull=True
    )
    experiments = Experiment.objects.filter(phases__ramp_steps__in=waiting).distinct().order_by("pk")
    return [line for experiment in experiments for line in _ramp_one(experiment, by, now)]


def _ramp_one(experiment: Experiment, by: str, now: datetime) -> list[str]:
    """Take one step at most: the next one needs its own days."""
    with atomic():
        phase = running_phase(locked(experiment))
        step = _next_step(phase) if phase else None
        if phase is None or step is None or now < _due_at(phase, step):
            return []
        reason = _closed_gate(phase, step, now)
        return _hold(phase, step, reason, by) if reason else _take(phase, step, by, now)


def _next_step(phase: Phase) -> RampStep | None:
    return phase.ramp_steps.filter(activated_at__isnull=True).order_by("after_days").first()


def _due_at(phase: Phase, step: RampStep) -> datetime:
    assert phase.started_at is not None
    return phase.started_at + timedelta(days=step.after_days)


def _closed_gate(phase: Phase, step: RampStep, now: datetime) -> str:
    """Return why a due step waits; "" = it does not."""
    if not phase.is_enrolling:
        return "The phase is paused."
    if step.is_manual:
        return "It waits for a person: ramp by hand."
    before = phase.ramp_steps.filter(activated_at__isnull=False).order_by("after_days").last()
    if before is None or before.activated_at is None:
        return ""
    wanted = timedelta(days=step.after_days - before.after_days)
    if now - before.activated_at < wanted:
        return f"The step before was taken {before.activated_at:%Y-%m-%d}: {wanted.days} days with it are planned."
    return _unhealthy(phase, now)


def _unhealthy(phase: Phase, now: datetime) -> str:
    """Return what the newest snapshot says against enrolling more; "" = nothing."""
    snapshot: Snapshot | None = phase.snapshots.order_by("-as_of", "-pk").first()
    if snapshot is None or snapshot.as_of < (now - FRESH).date():
        return "No snapshot of the last two days says that all is well."
    red = [check.get("sentence") or check.get("check") for check in snapshot.health if check.get("severity") == RED]
    reasons = [*red, *_breached(snapshot)]
    return f"{snapshot.as_of}: {reasons[0]}" if reasons else ""


def _breached(snapshot: Snapshot) -> list[str]:
    """Return a sentence for each guardrail that an arm does not keep."""
    told = snapshot.results.get("guardrails", [])
    broken = [(METRICS[each["metric"]].label, each["arm"]) for each in told if each["safety"] == BREACHED]
    return [f"{arm} does not keep its guardrail: {label}." for label, arm in broken]


def _hold(phase: Phase, step: RampStep, reason: str, by: str) -> list[str]:
    """Keep why a step waits; the trail and the log hear of it once."""
    reason = reason[:HELD_LENGTH]
    if step.held_reason == reason:
        return []
    before, step.held_reason = {"enrol_bp": step.enrol_bp, "held_reason": step.held_reason}, reason
    step.save(update_fields=["held_reason"])
    after = {"enrol_bp": step.enrol_bp, "held_reason": reason}
    record(phase.experiment, "hold", by, phase=phase, before=before, after=after, reason=reason)
    return [f"{phase}: {step.enrol_bp / 100:g} % waits. {reason}"]


def _take(phase: Phase, step: RampStep, by: str, now: datetime) -> list[str]:
    """Enrol the step's share; a person may have gone further already."""
    set_share(phase, max(step.enrol_bp, phase.enrol_bp), by, f"Step of day {step.after_days}.", now)
    return [f"{phase}: {phase.enrol_bp / 100:g} % of the eligible are enrolled."]
