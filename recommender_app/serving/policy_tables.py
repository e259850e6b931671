"""A policy as people and monitors read it: every field with its value and the level that decided it."""

from __future__ import annotations

from typing import Any

from recommender_app.serving.policy_layers import DEFAULT, SWITCH
from recommender_app.serving.router import Policy

AS_TRAINED = "as trained"


def policy_as_json(policy: Policy) -> dict[str, Any]:
    """Return {name, origin, fields: {field: {value, origin}}, switches: {engine: {is_on, origin}}}."""
    values: dict[str, Any] = {
        "routes": [list(route) for route in sorted(policy.routes)],
        "weights": dict(policy.weights) if policy.weights is not None else AS_TRAINED,
        "fusion": policy.fusion or AS_TRAINED,
        "diversity": policy.diversity,
        "caps": dict(policy.caps),
        "fatigue_after": policy.fatigue_after,
        "exploration": policy.exploration,
    }
    switches = sorted(name.removeprefix(SWITCH) for name in policy.origins if name.startswith(SWITCH))
    return {
        "name": policy.name,
        "origin": policy.origin,
        "fields": {
            name: {"value": value, "origin": policy.origins.get(name, DEFAULT)} for name, value in values.items()
        },
        "switches": {
            engine: {"is_on": engine not in policy.disabled, "origin": policy.origins[SWITCH + engine]}
            for engine in switches
        },
    }


def policy_rows(policy: Policy) -> list[tuple[str, str, str]]:
    """Return (field, value, level) rows."""
    told = policy_as_json(policy)
    fields = [(name, _shown(field["value"]), field["origin"]) for name, field in told["fields"].items()]
    switches = [
        (engine, "on" if switch["is_on"] else "switched off", switch["origin"])
        for engine, switch in told["switches"].items()
    ]
    return [*fields, *switches]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {number:g}" for key, number in sorted(value.items())) or "none"
    if isinstance(value, list):
        return ", ".join(f"{engine} from {count}" for count, engine in value)
    return str(value)
