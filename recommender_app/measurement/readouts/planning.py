"""How many users an experiment needs and how long that takes, from the site's own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from django.db.models import Min, Q, QuerySet

from recommender_app.exceptions import ConfigurationError
from recommender_app.experiments.metrics import METRICS, Metric
from recommender_app.experiments.statistics.duration import days_needed
from recommender_app.experiments.statistics.power import Question, detectable_effect, sample_size
from recommender_app.experiments.statistics.sums import Totals
from recommender_app.experiments.trail import record
from recommender_app.measurement.days import days_from
from recommender_app.measurement.readouts.assumptions import Assumed, said, seen_assumed, totals_assumed
from recommender_app.measurement.readouts.sums import sums_of
from recommender_app.models import Experiment, Phase, RollUp
from recommender_app.models.experiment import ALL
from recommender_app.registry.database import alias, atomic
from recommender_app.usecases.visitors import PREFIX

DAYS = 28  # of the site's past that the plan is made from
MEASURED = Assumed()
INSTEAD = "Or assume what will be: --plan --rate 0.05 --users-per-day 200."


@dataclass(frozen=True)
class PhasePlan:
    """What a phase needs.

    Attributes:
        site: sums of the primary metric over the site's users of the last DAYS days.
        per_arm: users that each arm needs to find the least effect.
        days: until they are enrolled and have had their days; None if that takes longer than half a year.
        detectable: relative effect that the users of DAYS days would find; None if none.
        assumed: what was said instead of being measured.
    """

    site: Totals
    per_arm: int
    days: int | None
    detectable: float | None
    assumed: Assumed = MEASURED


def plan_of(phase: Phase, last: date, assumed: Assumed = MEASURED) -> PhasePlan:
    """Return what a phase needs, as it is planned.

    The site's users, or its visitors' sessions, stand for the eligible ones: who may be enrolled is known only when
    they come.

    Args:
        last: day of the roll-ups up to which the past is looked at.
        assumed: what a person says instead.

    Raises:
        ConfigurationError: the past does not tell how users differ, or what is assumed cannot be.
    """
    experiment = phase.experiment
    seen = _seen(phase, last) if assumed.users_per_day is None else seen_assumed(assumed.users_per_day, DAYS)
    metric = METRICS[experiment.primary_metric]
    site = _site(phase, metric, last) if assumed.rate is None else totals_assumed(metric, assumed.rate, seen[-1])
    n_arms = max(phase.arms.count(), 2)
    question = Question(experiment.alpha, experiment.power, treatments=n_arms - 1)
    ramp = [(step.after_days, step.enrol_bp / ALL) for step in phase.ramp_steps.all()] or [(0, phase.enrol_bp / ALL)]
    try:
        per_arm = sample_size(site, experiment.least_effect, question)
        detectable = detectable_effect(site, site.n // n_arms, question)
    except ValueError as error:
        raise ConfigurationError(f"{phase} cannot be planned: {error} {INSTEAD}") from error
    days = days_needed(per_arm * n_arms, seen, ramp)
    if days is not None:
        days += max(experiment.window_days - 1, 0)  # until the last ones have had their days
    return PhasePlan(site, per_arm, days, detectable, assumed)


def _site(phase: Phase, metric: Metric, last: date) -> Totals:
    rows = _past(phase, last)
    if n_days := phase.experiment.window_days:  # what a unit does in any so many days stands for its first ones
        rows = rows.filter(day__gt=last - timedelta(days=n_days))
    return sums_of(rows, [metric])[metric.key]


def _past(phase: Phase, last: date) -> QuerySet[RollUp]:
    """Return the roll-ups of the last DAYS days of units as the experiment's."""
    days = (last - timedelta(days=DAYS - 1), last)
    rows = RollUp.objects.using(alias()).filter(use_case=phase.experiment.use_case, day__range=days).exclude(user_id="")
    is_visitor = Q(user_id__startswith=PREFIX)
    return rows.filter(is_visitor if _is_of_sessions(phase) else ~is_visitor).order_by()


def _is_of_sessions(phase: Phase) -> bool:
    return phase.experiment.unit_type == Experiment.UnitType.SESSION


def sentence_of(phase: Phase, plan: PhasePlan) -> str:
    """Return the plan in words."""
    experiment = phase.experiment
    metric = METRICS[experiment.primary_metric].label
    units = "sessions" if _is_of_sessions(phase) else "users"
    said_first = f"{said(plan.assumed, METRICS[experiment.primary_metric])}\n" if plan.assumed else ""
    needed = said_first + (
        f"{experiment.key} needs {plan.per_arm:,} {units} per arm to find {experiment.least_effect:+.1%} of {metric} "
        f"with a probability of {experiment.power:.0%}"
    )
    eligible = f" All {units} are counted; the phase wants some of them only." if phase.eligibility else ""
    if plan.days is not None:
        return f"{needed}: {max(plan.days, experiment.min_days)} days with its ramp.{eligible}"
    found = "no effect at all" if plan.detectable is None else f"{plan.detectable:+.1%} or more"
    return f"{needed}: it cannot reach them in half a year. The {units} of {DAYS} days would find {found}.{eligible}"


def store_plan(phase: Phase, plan: PhasePlan, by: str) -> None:
    """Write the users per arm into a phase that has not begun: read-outs are narrowest at so many.

    Raises:
        ConfigurationError: it has begun; what was planned cannot follow what was seen.
    """
    with atomic():
        if phase.started_at is not None:
            raise ConfigurationError(
                f"{phase} has begun: what is planned cannot follow what was seen. Begin a new phase."
            )
        before, phase.planned_units = phase.planned_units, plan.per_arm
        phase.save(update_fields=["planned_units"])
        told = {"planned_units": plan.per_arm, **({"assumed": asdict(plan.assumed)} if plan.assumed else {})}
        record(phase.experiment, "plan", by, phase=phase, before={"planned_units": before}, after=told)


def _seen(phase: Phase, last: date) -> Sequence[int]:
    """Return how many different units the site answered within 1, 2, 3, ... of the last DAYS days."""
    first = last - timedelta(days=DAYS - 1)
    firsts = _past(phase, last).values("user_id").annotate(first=Min("day")).values_list("first", flat=True)
    counts = dict.fromkeys(days_from(first, last), 0)
    for day in firsts.iterator():
        counts[day] += 1
    total, seen = 0, []
    for count in counts.values():
        total += count
        seen.append(total)
    return seen
