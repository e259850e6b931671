"""An experiment from its start to its last snapshot, on simulated visits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import time_machine

from backend.marketplace.driving.effects import Effects
from backend.marketplace.driving.site import USE_CASE, Site
from backend.marketplace.driving.visiting import Plan, Visitors, midnight
from backend.marketplace.models import Developer
from recommender_app.experiments import lifecycle, running
from recommender_app.experiments.ramping import ramp_due
from recommender_app.experiments.templates import create_from_template
from recommender_app.measurement.readouts.snapshots import take_snapshot
from recommender_app.measurement.roll_up import roll_up_day
from recommender_app.models import Experiment, Snapshot
from recommender_app.usecases.site import get_use_case

BY = "simulation"
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
    key: str, template: str, first: date, n_days: int, n_users: int, effects: Effects
) -> tuple[Experiment, dict[str, Effects]]:
    """Start an experiment at the first moment of a day; return it with the effects of its arms: all but control.

    It is planned for its days, and for as many users as may be expected to come.

    Raises:
        ConfigurationError: the key is taken, there is no such template, or another experiment wants the same units.
    """
    with time_machine.travel(midnight(first), tick=True):
        experiment = create_from_template(template, USE_CASE, key, BY)
        experiment.min_days = min(experiment.min_days, n_days)
        experiment.save()
        phase = experiment.phases.get()
        phase.enrol_salt, phase.arm_salt = f"{key} enrolled", f"{key} arms"  # the same units in the same arms every time
        phase.planned_units = int(n_users * EXPECTED / phase.arms.count())
        phase.save()
        phase = lifecycle.start(experiment, BY, at=midnight(first))
    running.forget()
    treatments = phase.arms.filter(is_control=False).values_list("key", flat=True)
    return experiment, dict.fromkeys(treatments, effects)


def simulate_days(
    experiment: Experiment, site: Site, developers: Sequence[Developer], plan: Plan, advance: Callable[[], Any]
) -> Simulated:
    """Let people visit while the experiment runs: every night the day is rolled up, looked at and ramped.

    Args:
        advance: called after each day.
    """
    phase = experiment.phases.get()
    snapshots: list[Snapshot] = []

    def end_of_day(day: date) -> None:
        roll_up_day(get_use_case(USE_CASE), day)
        snapshots.append(take_snapshot(phase, day))
        ramp_due(BY)
        running.forget()
        advance()

    n_visits = Visitors(site, developers, plan).visit(end_of_day)
    return Simulated(experiment, n_visits, tuple(snapshots))
