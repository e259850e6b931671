"""Experiments that most sites begin with, as data: the four groups, the rollout in weeks, and A/A."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recommender_app.conf import settings
from recommender_app.exceptions import ConfigurationError
from recommender_app.experiments.facts import FEWEST, MOST
from recommender_app.experiments.lifecycle import create_experiment, start
from recommender_app.models import Experiment
from recommender_app.registry.database import atomic

COLD, WARM = "COLD_START_THRESHOLD", "WARM_USER_THRESHOLD"  # replaced by the settings' counts
BELOW_WARM = "below WARM_USER_THRESHOLD"
GUARDRAILS = {"latency": 0.5, "fallback_rate": 0.5, "dislike_rate": 0.2, "diversity": 0.1}


@dataclass(frozen=True)
class Template:
    """One experiment to begin with.

    Attributes:
        label: for people.
        hypothesis: what is expected.
        arms: fields of the arms; counts in routes may be COLD or WARM.
        ramp_steps: fields of the steps.
        eligibility: of the phase; counts may be COLD, WARM or BELOW_WARM.
        plan: further fields of the experiment.
    """

    label: str
    hypothesis: str
    arms: Sequence[Mapping[str, Any]]
    ramp_steps: Sequence[Mapping[str, Any]] = ({"after_days": 0, "enrol_bp": 10_000},)
    eligibility: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)


def _arm(key: str, name: str, weight_bp: int, routes: Any = None, disabled: Sequence[str] = ()) -> dict[str, Any]:
    policy: dict[str, Any] = {} if routes is None else {"routes": routes}
    if disabled:
        policy["disabled"] = list(disabled)
    return {"key": key, "name": name, "weight_bp": weight_bp, "policy": policy, "is_control": key == "control"}


CONTENT = [[0, "content_based"]]
WITH_ALS = [[0, "content_based"], [COLD, "als"]]
WITH_TWO_TOWER = [[0, "content_based"], [COLD, "two_tower"]]
EVERYTHING = [[0, "content_based"], [COLD, "als"], [WARM, "ensemble"]]

TEMPLATES: dict[str, Template] = {
    "four_groups": Template(
        "Four groups: content, ALS, two-tower, everything",
        "Engines that learn from what people do are clicked more often than content alone, all together most.",
        (
            _arm("control", "Content only", 2_500, CONTENT, ("als", "two_tower", "ensemble")),
            _arm("a", "Content and ALS", 2_500, WITH_ALS, ("two_tower", "ensemble")),
            _arm("b", "Content and two-tower", 2_500, WITH_TWO_TOWER, ("als", "ensemble")),
            _arm("c", "Content, ALS, two-tower and their ensemble", 2_500, EVERYTHING),
        ),
        plan={"secondary_metrics": ["conversion", "satisfaction"], "min_days": 28},
    ),
    "als_warm": Template(
        "ALS for warm users: 10 % in week 1, 50 % in week 2",
        "Users with some history click more on what ALS proposes than on content alone.",
        (
            _arm("control", "Content only", 5_000, CONTENT, ("als", "two_tower", "ensemble")),
            _arm("als", "Content and ALS", 5_000, WITH_ALS, ("two_tower", "ensemble")),
        ),
        ({"after_days": 0, "enrol_bp": 1_000}, {"after_days": 7, "enrol_bp": 5_000}),
        {FEWEST: COLD, MOST: BELOW_WARM},
        {"secondary_metrics": ["conversion", "satisfaction"]},
    ),
    "ensemble_hot": Template(
        "The ensemble for hot users: 10 % in week 3",
        "Users with much history click more on what the ensemble proposes than on ALS alone.",
        (
            _arm("control", "Content and ALS", 5_000, WITH_ALS, ("two_tower", "ensemble")),
            _arm("ensemble", "The ensemble", 5_000, EVERYTHING),
        ),
        ({"after_days": 0, "enrol_bp": 1_000},),
        {FEWEST: WARM},
        {"secondary_metrics": ["conversion", "satisfaction"], "min_days": 7},
    ),
    "full_rollout": Template(
        "Full rollout in week 4, with a tenth held back to measure it; concluding writes the policy",
        "What the weeks before have shown holds for everybody.",
        (
            _arm("control", "Content only, held back", 1_000, CONTENT, ("als", "two_tower", "ensemble")),
            _arm("everything", "Content, ALS, two-tower and their ensemble", 9_000, EVERYTHING),
        ),
        plan={"secondary_metrics": ["conversion", "satisfaction"], "min_days": 7},
    ),
    "a_a": Template(
        "A/A: two equal arms, to see whether the numbers can be believed",
        "Nothing differs: whatever is found, the measuring is wrong.",
        (_arm("control", "As in force", 5_000), _arm("same", "As in force, too", 5_000)),
        plan={"secondary_metrics": ["conversion"]},
    ),
}


def create_from_template(name: str, use_case: str, key: str, by: str) -> Experiment:
    """Plan an experiment from a template; its counts are those of the settings.

    Raises:
        ConfigurationError: there is no such template, or the key is taken or no key.
        UnknownUseCase: nothing is registered under the key of the use case.
    """
    template = TEMPLATES.get(name)
    if template is None:
        raise ConfigurationError(f"There is no template {name!r}: choose from {', '.join(TEMPLATES)}.")
    guardrails = {} if name == "a_a" else GUARDRAILS
    return create_experiment(
        key,
        use_case,
        by,
        arms=[_with_counts(arm) for arm in template.arms],
        ramp_steps=template.ramp_steps,
        eligibility=_with_counts(template.eligibility),
        name=template.label,
        hypothesis=template.hypothesis,
        guardrails=dict(guardrails),
        **template.plan,
    )


def start_a_a(use_case: str, key: str, by: str) -> Experiment:
    """Plan an A/A test and start it, or do neither.

    Raises:
        ConfigurationError: the key is taken, or something runs that could want the same units.
        UnknownUseCase: nothing is registered under the key of the use case.
    """
    with atomic():
        experiment = create_from_template("a_a", use_case, key, by)
        start(experiment, by)
    experiment.refresh_from_db()
    return experiment


def _with_counts(value: Any) -> Any:
    """Return a copy with the settings' counts where a template names them."""
    if isinstance(value, Mapping):
        return {key: _with_counts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_counts(inner) for inner in value]
    counts = {
        COLD: settings.COLD_START_THRESHOLD,
        WARM: settings.WARM_USER_THRESHOLD,
        BELOW_WARM: settings.WARM_USER_THRESHOLD - 1,
    }
    return counts.get(value, value) if isinstance(value, str) else value
