"""Rows of an experiment for whoever changes them: one at a time."""

from __future__ import annotations

from recommender_app.exceptions import ConfigurationError
from recommender_app.models import Experiment, Phase

REASON_LENGTH = 200  # characters of Phase.end_reason


def locked(experiment: Experiment) -> Experiment:
    """Return the row as it is now, locked until the transaction ends.

    Raises:
        ConfigurationError: it is gone.
    """
    found = Experiment.objects.select_for_update(of=("self",)).filter(pk=experiment.pk).first()
    if found is None:
        raise ConfigurationError(f"The experiment {experiment.key} is gone.")
    return found


def locked_phase(phase: Phase) -> Phase:
    """Return a running phase as it is now, and its experiment locked.

    Raises:
        ConfigurationError: it has not been started, or has ended.
    """
    experiment = locked(phase.experiment)
    found = running_phase(experiment)
    if found is None or found.pk != phase.pk:
        raise ConfigurationError(f"Phase {phase.number} of {experiment.key} does not run.")
    return found


def running_phase(experiment: Experiment) -> Phase | None:
    """Return the phase that runs, if one does."""
    phases = experiment.phases.filter(started_at__isnull=False, ended_at__isnull=True)
    return phases.select_for_update(of=("self",)).first()


def draft_phase(experiment: Experiment) -> Phase | None:
    """Return the phase that is being planned, if there is one."""
    return experiment.phases.filter(started_at__isnull=True).first()
