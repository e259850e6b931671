"""What must be right before a phase may start; each problem is one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from recommender_app.experiments.arm_policies import policy_sentences
from recommender_app.experiments.facts import FEWEST, MOST
from recommender_app.experiments.metrics import DECIDING, METRICS, Metric
from recommender_app.experiments.overlap import overlapping
from recommender_app.models import Arm, Experiment, Phase, RampStep
from recommender_app.models.experiment import ALL
from recommender_app.models.json_rules import json_problem
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.site import get_use_case

WIDEST = 100  # a guardrail that may become a hundred times worse guards nothing


def start_problems(experiment: Experiment, phase: Phase) -> list[str]:
    """Return why a phase may not start; [] = it may.

    Raises:
        UnknownUseCase: the experiment's use case is not registered.
    """
    use_case = get_use_case(experiment.use_case)
    arms = list(phase.arms.order_by("pk"))
    steps = list(phase.ramp_steps.order_by("after_days"))
    problems = [*metric_problems(experiment), *eligibility_problems(phase.eligibility, experiment.unit_type)]
    problems = problems or list(facts_problems(use_case, phase.eligibility))
    problems += [*arms_problems(arms), *policies_problems(experiment.use_case, arms), *ramp_problems(steps)]
    if phase.enrol_salt and phase.enrol_salt == phase.arm_salt:
        problems.append("The two salts are the same: who is enrolled would decide the arm. Leave them empty.")
    return problems or _overlap(experiment.use_case, overlapping(experiment, phase))


def arms_problems(arms: Sequence[Arm]) -> Iterator[str]:
    """Yield what is wrong with the arms together."""
    if len(arms) < 2:
        yield "It needs two arms or more."
        return
    total = sum(arm.weight_bp for arm in arms)
    if total != ALL:
        yield f"The arms' weights make {total / 100:g} %: they must make 100 %, which is {ALL} basis points."
    if sum(arm.is_control for arm in arms) != 1:
        yield "Exactly one arm must be the control."


def policies_problems(use_case_key: str, arms: Sequence[Arm]) -> Iterator[str]:
    """Yield what is wrong with the arms' policies."""
    for arm in arms:
        for sentence in policy_sentences(use_case_key, arm.policy):
            yield f"Arm {arm.key}: {sentence}"


def ramp_problems(steps: Sequence[RampStep]) -> Iterator[str]:
    """Yield what is wrong with the ramp: it only ever rises."""
    for before, after in pairwise(steps):
        if after.enrol_bp <= before.enrol_bp:
            shares = f"{before.enrol_bp / 100:g} % to {after.enrol_bp / 100:g} %"
            yield f"The ramp goes from {shares}: each step must enrol more than the one before."


def eligibility_problems(eligibility: Any, unit_type: str) -> Iterator[str]:
    """Yield what is wrong with who is eligible."""
    if not isinstance(eligibility, dict) or json_problem(eligibility):
        yield 'Eligibility: write {"min_interactions": 5, "max_interactions": 19}, or {} for everybody.'
        return
    bounds = {name: eligibility[name] for name in (FEWEST, MOST) if name in eligibility}
    for name, bound in bounds.items():
        if not isinstance(bound, int) or isinstance(bound, bool) or bound < 0:
            yield f"Eligibility: {name} is a whole number from 0, not {bound!r}."
            return
    if len(bounds) == 2 and bounds[FEWEST] > bounds[MOST]:
        yield f"Eligibility: nobody has at least {bounds[FEWEST]} and at most {bounds[MOST]} interactions."
    for name in sorted(eligibility.keys() - bounds.keys()):
        yield from _fact_problems(name, eligibility[name], unit_type)


def _fact_problems(name: str, values: Any, unit_type: str) -> Iterator[str]:
    """Yield what is wrong with one of what the use case's ``unit_facts`` are to be held against."""
    if meant := get_close_matches(name, (FEWEST, MOST), n=1, cutoff=0.9):
        yield f"Eligibility: nothing is called {name!r}; {meant[0]} is."
    elif unit_type == Experiment.UnitType.SESSION:
        yield f"Eligibility: nothing but the interaction count is known of a session, so leave out {name!r}."
    elif not _are_values(values):
        yield f'Eligibility: write a list of texts or numbers, such as {{"{name}": ["developer"]}}.'


def _are_values(values: Any) -> bool:
    listed = [values] if isinstance(values, str) else values
    return isinstance(listed, list) and bool(listed) and all(isinstance(each, str | int | float) for each in listed)


def facts_problems(use_case: UseCase, eligibility: dict[str, Any]) -> Iterator[str]:
    """Yield what a well-formed eligibility asks for of a use case that tells nothing about its users."""
    names = sorted(eligibility.keys() - {FEWEST, MOST})
    if names and type(use_case).unit_facts is UseCase.unit_facts:
        told = ", ".join(names)
        yield f"Eligibility: {use_case.key} knows no {told}, so nobody is eligible: declare unit_facts on it."


def metric_problems(experiment: Experiment) -> Iterator[str]:
    """Yield what is wrong with the metrics that an experiment names."""
    if experiment.primary_metric not in DECIDING:
        yield f"The primary metric {experiment.primary_metric!r} cannot decide: choose from {', '.join(DECIDING)}."
    if not experiment.min_days:
        yield "A verdict needs one day at least (min_days): 14 are two of each weekday."
    secondary, guardrails = experiment.secondary_metrics, experiment.guardrails
    if not isinstance(secondary, list) or not isinstance(guardrails, dict):
        yield 'Write secondary metrics as ["conversion"] and guardrails as {"fallback_rate": 0.5}.'
        return
    unknown = [name for name in [*secondary, *guardrails] if not isinstance(name, str) or name not in METRICS]
    for name in unknown:
        yield f"There is no metric {name!r}: choose from {', '.join(METRICS)}."
    for name in sorted(guardrails.keys() & METRICS.keys()):
        if not _is_margin(guardrails[name], METRICS[name]):
            yield f"Guardrail {name}: the margin is {_margins(METRICS[name])}, not {guardrails[name]!r}."


def _is_margin(margin: Any, metric: Metric) -> bool:
    """Tell whether a guardrail with this margin could ever be breached."""
    if isinstance(margin, bool) or not isinstance(margin, int | float):
        return False
    return 0 < margin < 1 if metric.direction > 0 else 0 < margin <= WIDEST


def _margins(metric: Metric) -> str:
    return "a number between 0 and 1" if metric.direction > 0 else f"a number above 0, at most {WIDEST}"


def _overlap(use_case_key: str, keys: Sequence[str]) -> list[str]:
    if not keys:
        return []
    running = f"{' and '.join(keys)} {'runs' if len(keys) == 1 else 'run'}"
    return [
        f"{running} for {use_case_key} and could want the same units: put them into parts of one layer that do not "
        "overlap, or choose interaction counts that do not."
    ]
