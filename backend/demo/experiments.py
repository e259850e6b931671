"""The experiments that the demo leaves running: the four groups, and the plan's rollout in four weeks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from recommender_app.exceptions import ConfigurationError
from recommender_app.experiments import lifecycle
from recommender_app.experiments.templates import TEMPLATES, create_from_template
from recommender_app.models import Experiment, Phase
from recommender_app.registry.database import atomic
from recommender_app.registry.releases import live_release

BY = "demo"


@dataclass(frozen=True)
class Planned:
    """One experiment of the demo.

    Attributes:
        engines: that its arms promise; it is not started while one of them is not live.
        first_day: day after the start on which the first step of its ramp is taken.
        is_draft: planned, for a person to start.
        arm_names: {arm: name}, where the template's promises more than the use case has.
    """

    key: str
    template: str
    use_case: str
    engines: tuple[str, ...]
    first_day: int = 0
    is_draft: bool = False
    arm_names: Mapping[str, str] = field(default_factory=dict)


EXPERIMENTS = (
    Planned("four-groups", "four_groups", "investor_startup", ("content_based", "als", "two_tower", "ensemble")),
    Planned("als-warm", "als_warm", "developer_startup", ("content_based", "als")),
    Planned("ensemble-hot", "ensemble_hot", "developer_startup", ("content_based", "als", "ensemble"), first_day=14),
    Planned(
        "full-rollout",
        "full_rollout",
        "developer_startup",
        ("content_based", "als", "ensemble"),
        is_draft=True,
        arm_names={"everything": "Content, ALS and the ensemble"},
    ),
)


def begin(write: Callable[[str], None]) -> None:
    """Plan and start what is not there; what is there is left as it is, whatever became of it."""
    for planned in EXPERIMENTS:
        found = Experiment.objects.filter(key=planned.key).first()
        if found is not None:
            write(f"{planned.key} is there already ({found.status}): nothing is changed")
            continue
        try:
            write(_begin(planned))
        except ConfigurationError as error:  # what a visitor of the demo has started may be in the way
            write(f"{planned.key} is left out: {error}")


def running_lines() -> list[str]:
    """Return a line for each experiment that runs: who is enrolled, and what the ramp does next."""
    phases = Phase.objects.filter(started_at__isnull=False, ended_at__isnull=True).select_related("experiment")
    return [_running_line(phase) for phase in phases.order_by("pk")]


def _begin(planned: Planned) -> str:
    """Plan an experiment and start it, or do neither; return what was done."""
    label = TEMPLATES[planned.template].label
    missing = _not_live(planned)
    with atomic():
        experiment = _draft(planned)
        if planned.is_draft:
            return f"{planned.key} is planned for {planned.use_case}, for a person to start: {label}"
        if missing:
            return f"{planned.key} is planned for {planned.use_case}, but not started: no live {', '.join(missing)}"
        lifecycle.start(experiment, BY)
    return f"{planned.key} started for {planned.use_case}: {label}"


def _draft(planned: Planned) -> Experiment:
    experiment = create_from_template(planned.template, planned.use_case, planned.key, BY)
    phase = experiment.phases.get()
    for arm in phase.arms.filter(key__in=planned.arm_names):
        arm.name = planned.arm_names[arm.key]
        arm.save()
    if planned.first_day:
        for step in phase.ramp_steps.order_by("-after_days"):
            step.after_days += planned.first_day
            step.save()
        experiment.min_days += planned.first_day  # days are counted from the start
        experiment.save()
    return experiment


def _not_live(planned: Planned) -> list[str]:
    release = live_release(planned.use_case)
    live = set(release.members.values_list("engine", flat=True)) if release else set()
    return [engine for engine in planned.engines if engine not in live]


def _running_line(phase: Phase) -> str:
    n = phase.assignments.count()
    who = f"{phase.enrol_bp / 100:g} % of {_eligible(phase.eligibility)}"
    paused = "" if phase.is_enrolling else ", paused"
    units = f"{n} so far" if n else "nobody has come yet"
    return f"{phase.experiment.key} ({phase.experiment.use_case}): {who}{paused}, {units}{''.join(_next_step(phase))}"


def _eligible(eligibility: Mapping[str, Any]) -> str:
    fewest, most = eligibility.get("min_interactions", 0), eligibility.get("max_interactions")
    if most is not None:
        return f"those with {fewest} to {most} interactions"
    return f"those with {fewest} interactions or more" if fewest else "all"


def _next_step(phase: Phase) -> Iterator[str]:
    step = phase.ramp_steps.filter(activated_at__isnull=True).order_by("after_days").first()
    if step is not None and phase.started_at is not None:
        gate = step.held_reason or ("if nothing is red then" if phase.enrol_bp else "the first step")
        due = phase.started_at + timedelta(days=step.after_days)
        yield f"; {step.enrol_bp / 100:g} % from {due:%Y-%m-%d}, {gate}"
