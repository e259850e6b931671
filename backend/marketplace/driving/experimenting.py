"""An experiment from its start to its last snapshot, on simulated visits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import time_machine

from backend.marketplace.driving.effects import Effects
from backend.marketplace.driving.site import USE_CASE, Site
from backend.marketplace.driving.visiting import Plan, Visitors, midnight
from backend.marketplace.models import Developer
from recommender_app.exceptions import ConfigurationError
from recommender_app.experiments import lifecycle, running
from recommender_app.experiments.overlap import overlapping
from recommender_app.experiments.ramping import ramp_due
from recommender_app.experiments.templates import create_from_template
from recommender_app.measurement.readouts.snapshots import take_snapshot
from recommender_app.measurement.readouts.watching import pause_if_harmful
from recommender_app.measurement.roll_up import roll_up_day
from recommender_app.models import Experiment, Phase, Snapshot
from recommender_app.registry.database import atomic
from recommender_app.usecases.site import get_use_case

BY = "simulation"
NAME_LENGTH = 120  # characters of Experiment.name
EXPECTED = 0.8  # share of the people who come at all


@dataclass(frozen=True)
class Simulated:
    """What a simulation came to.

    Attributes:
        snapshots: one a day.
    """

    experiment: Experiment
    n_visits: int
    snapshots: tuple[Snapshot, ...]


def begin(
    key: str, template: str, first: date, n_days: int, n_users: int, effects: Effects, *, stop_others: bool = False
) -> tuple[Experiment, dict[str, Effects]]:
    """Start an experiment at the first moment of a day; return it with the effects of its arms: all but control.

    It is planned for its days, and for as many users as may be expected to come.

    Args:
        stop_others: stop the experiments that could want the same developers, instead of refusing.

    Raises:
        ConfigurationError: the key is taken, there is no such template, or another experiment wants the same units;
            nothing is left behind.
    """
    if Experiment.objects.filter(key=key).exists():
        raise ConfigurationError(
            f"There is an experiment {key} already: manage.py recommender_experiment {key} prints what it has found; "
            "choose another name with --key."
        )
    with time_machine.travel(midnight(first), tick=True), atomic():
        experiment = create_from_template(template, USE_CASE, key, BY)
        experiment.name = f"Simulated, true effect {effects}: {experiment.name}"[:NAME_LENGTH]
        experiment.min_days = min(experiment.min_days, n_days)
        experiment.save()
        phase = experiment.phases.get()
        phase.enrol_salt, phase.arm_salt = f"{key} enrolled", f"{key} arms"  # the same units in the same arms
        phase.planned_units = int(n_users * EXPECTED / phase.arms.count())
        phase.save()
        _make_room(experiment, phase, stop_others=stop_others)
        phase = lifecycle.start(experiment, BY, at=midnight(first))
    running.forget()
    treatments = phase.arms.filter(is_control=False).values_list("key", flat=True)
    return experiment, dict.fromkeys(treatments, effects)


def end(experiment: Experiment) -> None:
    """Stop an experiment after its last whole day."""
    phase = experiment.phases.get()
    last = phase.snapshots.order_by("as_of").last()
    at = midnight(last.as_of + timedelta(days=1)) if last else phase.started_at
    lifecycle.stop(experiment, "The simulation is over.", BY, at=at)
    running.forget()


def simulate_days(
    experiment: Experiment, site: Site, developers: Sequence[Developer], plan: Plan, tell: Callable[[Snapshot], Any]
) -> Simulated:
    """Let people visit while the experiment runs: every night the day is rolled up, looked at and ramped.

    Args:
        tell: called with the snapshot of each day when the day is over.
    """
    phase = experiment.phases.get()
    snapshots: list[Snapshot] = []

    def end_of_day(day: date) -> None:
        roll_up_day(get_use_case(USE_CASE), day)
        snapshots.append(take_snapshot(phase, day))
        pause_if_harmful(experiment.phases.get())
        ramp_due(BY)
        running.forget()
        tell(snapshots[-1])

    n_visits = Visitors(site, developers, plan).visit(end_of_day)
    return Simulated(experiment, n_visits, tuple(snapshots))


def _make_room(experiment: Experiment, phase: Phase, *, stop_others: bool) -> None:
    others = Experiment.objects.filter(key__in=overlapping(experiment, phase)).order_by("pk")
    if others and not stop_others:
        keys = ", ".join(other.key for other in others)
        raise ConfigurationError(
            f"{keys} {'runs' if len(others) == 1 else 'run'} for {USE_CASE} and could want the same developers. "
            "--stop-others stops what is in the way; or simulate on a database of its own "
            "(DATABASE_URL=sqlite:////tmp/simulated.sqlite3 for this command and for migrate)."
        )
    for other in others:
        lifecycle.stop(other, f"Made room for the simulation {experiment.key}.", BY)
