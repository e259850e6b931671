"""The only things about a running phase that a person may change: how many are enrolled, and whether anybody is."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from recommender_app.exceptions import ConfigurationError
from recommender_app.experiments.locking import locked_phase
from recommender_app.experiments.trail import record, state_of
from recommender_app.models import Phase
from recommender_app.models.experiment import ALL
from recommender_app.registry.database import atomic


def ramp(phase: Phase, enrol_bp: int, by: str, reason: str = "", *, at: datetime | None = None) -> Phase:
    """Enrol that share of the eligible units from now on; who is in stays in, also when it is lowered.

    Steps of the ramp that are thereby reached are done, those that wait for a person included.

    Raises:
        ConfigurationError: it does not run, or the share is no share or the same.
    """
    if not 0 <= enrol_bp <= ALL:
        raise ConfigurationError(f"A share is from 0 to {ALL} basis points, not {enrol_bp}.")
    with atomic():
        phase = locked_phase(phase)
        if phase.enrol_bp == enrol_bp:
            raise ConfigurationError(f"{phase.experiment.key} enrols {enrol_bp / 100:g} % already.")
        set_share(phase, enrol_bp, by, reason, at or timezone.now())
    return phase


def set_share(phase: Phase, enrol_bp: int, by: str, reason: str, now: datetime) -> None:
    """Store the share of a locked phase, the steps that it reaches, and the trail."""
    before, phase.enrol_bp = phase.enrol_bp, enrol_bp
    phase.save(update_fields=["enrol_bp"])
    reached = phase.ramp_steps.filter(activated_at__isnull=True, enrol_bp__lte=enrol_bp)
    reached.update(activated_at=now, held_reason="")
    after = {"enrol_bp": enrol_bp}
    record(phase.experiment, "ramp", by, phase=phase, before={"enrol_bp": before}, after=after, reason=reason)


def pause(phase: Phase, by: str, reason: str = "") -> Phase:
    """Enrol nobody any more; who is in stays in, and the ramp waits.

    Raises:
        ConfigurationError: it does not run, or is paused already.
    """
    return _set_enrolling(phase, by, reason, is_enrolling=False)


def resume(phase: Phase, by: str, reason: str = "") -> Phase:
    """Enrol again.

    Raises:
        ConfigurationError: it does not run, or is not paused.
    """
    return _set_enrolling(phase, by, reason, is_enrolling=True)


def _set_enrolling(phase: Phase, by: str, reason: str, *, is_enrolling: bool) -> Phase:
    with atomic():
        phase = locked_phase(phase)
        if phase.is_enrolling == is_enrolling:
            said = "is not paused" if is_enrolling else "is paused already"
            raise ConfigurationError(f"{phase.experiment.key} {said}.")
        before, phase.is_enrolling = state_of(phase.experiment, phase), is_enrolling
        phase.save(update_fields=["is_enrolling"])
        action, after = "resume" if is_enrolling else "pause", state_of(phase.experiment, phase)
        record(phase.experiment, action, by, phase=phase, before=before, after=after, reason=reason)
    return phase
