"""What the JSON of a policy may say. Each function returns "" or one sentence that says what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from recommender_app.engines.catalog import engine_keys
from recommender_app.models.json_rules import json_problem

ENSEMBLE = "ensemble"
MOST_WEIGHT = 1_000_000  # their sum must stay a number
NEWEST = "newest"  # a route may also go straight to the newest items


def policy_problems(values: Mapping[str, Any]) -> dict[str, str]:
    """Return {field: problem} of a policy's values."""
    rules = {"routes": routes_problem, "disabled": disabled_problem, "weights": weights_problem, "caps": caps_problem}
    problems = {name: json_problem(values[name]) or rule(values[name]) for name, rule in rules.items() if values[name]}
    has_thresholds = any(values[name] is not None for name in ("cold_start_threshold", "warm_user_threshold"))
    if values["routes"] and has_thresholds:
        problems["routes"] = "Give thresholds or routes, not both."
    return {name: problem for name, problem in problems.items() if problem}


def lone_threshold_problem(cold: int | None, warm: int | None, in_force: tuple[int, int]) -> dict[str, str]:
    """Return {field: problem} of one threshold without the other, which the settings then decide.

    Args:
        in_force: the settings' cold start and warm user thresholds.
    """
    if cold is not None and warm is None and cold > in_force[1]:
        problem = f"The warm user threshold in force is {in_force[1]}: ALS would never answer. Give a higher one too."
        return {"cold_start_threshold": problem}
    if warm is not None and cold is None and warm < in_force[0]:
        problem = f"The cold start threshold in force is {in_force[0]}: ALS would never answer. Give a lower one too."
        return {"warm_user_threshold": problem}
    return {}


def routes_problem(routes: Any) -> str:
    """Check ``[[0, "content_based"], [5, "als"]]``."""
    if not isinstance(routes, list | tuple) or not all(_is_route(route) for route in routes):
        return 'Write a list of pairs: [[0, "content_based"], [5, "als"]].'
    counts = [count for count, _ in routes]
    if any(not _is_count(count) for count in counts):
        return "An interaction count is a whole number from 0."
    if len(set(counts)) < len(counts):
        return "Two routes begin at the same interaction count."
    if 0 not in counts:
        return "One route must begin at 0, or new users get no engine."
    return _unknown([engine for _, engine in routes], (*engine_keys(), NEWEST))


def disabled_problem(engines: Any) -> str:
    """Check ``["two_tower"]``."""
    if not isinstance(engines, list | tuple):
        return 'Write a list of engines: ["two_tower"].'
    return _unknown(engines, engine_keys())


def weights_problem(weights: Any) -> str:
    """Check ``{"als": 0.6, "two_tower": 0.4}``."""
    if not isinstance(weights, Mapping):
        return 'Write {"als": 0.6, "two_tower": 0.4}.'
    if any(not _is_number(weight) or not 0 <= weight <= MOST_WEIGHT for weight in weights.values()):
        return f"A weight is a number from 0 to {MOST_WEIGHT}."
    if not any(weight > 0 for weight in weights.values()):
        return "At least one weight must be above 0."
    return _unknown(weights, [key for key in engine_keys() if key != ENSEMBLE])


def caps_problem(caps: Any) -> str:
    """Check ``{"industry": 3}``."""
    is_sound = isinstance(caps, Mapping) and all(_is_count(cap) and cap > 0 for cap in caps.values())
    return "" if is_sound else 'Write {"industry": 3}: a whole number from 1 for each attribute.'


def _is_route(route: Any) -> bool:
    return isinstance(route, list | tuple) and len(route) == 2


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _unknown(engines: Any, known: Any) -> str:
    unknown = [engine for engine in engines if engine not in known]
    return f"There is no engine {unknown[0]!r}: choose from {', '.join(known)}." if unknown else ""
