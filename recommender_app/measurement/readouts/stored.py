"""Finding experiments, phases and snapshots that are stored; nothing is computed here."""

from __future__ import annotations

import re
from datetime import date

from recommender_app.exceptions import MeasurementError, UnknownExperiment
from recommender_app.models import Experiment, Phase, Snapshot
from recommender_app.registry.database import alias

MOST_TOLD = 10


def experiment_of(key: str) -> Experiment:
    """Return an experiment.

    Raises:
        UnknownExperiment: there is none of that key.
    """
    is_key = re.fullmatch(r"[-\w]{1,64}", key, re.ASCII)  # a database may choke on what can be none
    found = Experiment.objects.using(alias()).filter(key=key).first() if is_key else None
    if found is None:
        raise UnknownExperiment(f"There is no experiment {key[:64]!r}: {_known()}.")
    return found


def _known() -> str:
    """Return the newest experiments, as a message names them."""
    keys = Experiment.objects.using(alias()).order_by("-pk").values_list("key", flat=True)[:MOST_TOLD]
    return f"there are {', '.join(keys)}" if keys else "there is none yet"


def phase_of(experiment: Experiment, number: int | None = None) -> Phase:
    """Return a phase; the newest one that has begun if none is named, else the newest.

    Raises:
        UnknownExperiment: it has no such phase.
    """
    phases = list(experiment.phases.using(alias()).select_related("experiment").order_by("-number"))
    if number is None:
        phases = [phase for phase in phases if phase.started_at] or phases
    found = next((phase for phase in phases if number in (None, phase.number)), None)
    if found is None:
        raise UnknownExperiment(f"{experiment.key} has no phase{'' if number is None else f' {number}'}.")
    return found


def snapshots_of(phase: Phase) -> list[Snapshot]:
    """Return the snapshots of a phase, oldest first, one a day: by the newest statistics."""
    rows = Snapshot.objects.using(alias()).filter(phase=phase).select_related("phase__experiment")
    return list({row.as_of: row for row in rows.order_by("as_of", "method_version", "pk")}.values())


def chosen_snapshots(phase: Phase, day: date | None = None) -> list[Snapshot]:
    """Return the snapshot of a day, all of a phase if none is named.

    Raises:
        MeasurementError: there are snapshots, but not of that day.
    """
    one = snapshot_of(phase, day) if day else None
    return [one] if one else snapshots_of(phase)


def snapshot_of(phase: Phase, day: date | None = None) -> Snapshot | None:
    """Return the snapshot of a day, the last one if none is named; None if there is none at all.

    Raises:
        MeasurementError: there are snapshots, but not of that day.
    """
    found = snapshots_of(phase)
    if day is None or not found:
        return found[-1] if found else None
    of_day = next((row for row in found if row.as_of == day), None)
    if of_day is None:
        raise MeasurementError(f"{phase} has no snapshot of {day}: there are those of {_told(found)}.")
    return of_day


def _told(snapshots: list[Snapshot]) -> str:
    first, last = snapshots[0].as_of, snapshots[-1].as_of
    return str(first) if first == last else f"{first} to {last}"
