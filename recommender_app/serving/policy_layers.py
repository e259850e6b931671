"""Who has a say in a policy, lowest first: default, use case, admin, environment, the arm of an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recommender_app.conf import settings
from recommender_app.environment import SWITCHES, ensemble_weights, is_switch
from recommender_app.models import ServingPolicy
from recommender_app.serving.router import Policy
from recommender_app.usecases.declaration import UseCase

DEFAULT, USE_CASE, ADMIN, ENVIRONMENT, ARM = "default", "use case", "admin", "environment", "arm"
LEVELS = (DEFAULT, USE_CASE, ADMIN, ENVIRONMENT, ARM)
NAME_LENGTH = 64  # of a policy in the request log
SWITCH = "switch:"  # prefix of the origins of switches: switch:als


@dataclass(frozen=True)
class Layer:
    """What one level says; whatever it leaves out is decided below it.

    Attributes:
        level: one of LEVELS.
        values: {field of ``Policy``: value}.
        switches: {engine key: whether it may answer}.
        name: of the policy, for the request log; "" = the level's.
    """

    level: str
    values: Mapping[str, Any] = field(default_factory=dict)
    switches: Mapping[str, bool] = field(default_factory=dict)
    name: str = ""

    @property
    def has_a_say(self) -> bool:
        """Whether it says anything."""
        return bool(self.values or self.switches)


def merged(layers: Sequence[Layer]) -> Policy:
    """Return one policy; a later layer overrules an earlier one, field by field and engine by engine.

    The name says who had a say above the default: ``spring+environment``.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    switches: dict[str, bool] = {}
    for layer in layers:
        values |= layer.values
        switches |= layer.switches
        origins |= dict.fromkeys(layer.values, layer.level)
        origins |= {SWITCH + engine: layer.level for engine in layer.switches}
    speaking = [layer for layer in layers if layer.has_a_say]
    names = [layer.name or layer.level for layer in speaking if layer.level != DEFAULT]
    disabled = frozenset(engine for engine, is_on in switches.items() if not is_on)
    name = "+".join(names).replace(" ", "_")[:NAME_LENGTH] or DEFAULT
    origin = speaking[-1].level if speaking else DEFAULT
    return Policy(name=name, origin=origin, origins=origins, disabled=disabled, **values)


def default_layer() -> Layer:
    """Return the plan's thresholds: content for new users, ALS for warm ones, the ensemble for active ones."""
    return Layer(DEFAULT, {"routes": threshold_routes(settings.COLD_START_THRESHOLD, settings.WARM_USER_THRESHOLD)})


def use_case_layer(use_case: UseCase) -> Layer:
    """Return the routes that a declaration names."""
    return Layer(USE_CASE, {"routes": _as_routes(use_case.routes)} if use_case.routes else {})


def admin_layer(row: ServingPolicy | None) -> Layer:
    """Return what an active policy says; fields that are empty say nothing."""
    if row is None:
        return Layer(ADMIN)
    values = {
        "routes": _as_routes(row.routes) or _stored_thresholds(row),
        "weights": _to_one(row.weights),
        "fusion": row.fusion or None,
        "diversity": row.diversity,
        "caps": row.caps or None,
        "fatigue_after": row.fatigue_after,
        "exploration": row.exploration,
    }
    said = {name: value for name, value in values.items() if value is not None}
    return Layer(ADMIN, said, dict.fromkeys(row.disabled, False), row.name)


def environment_layer() -> Layer:
    """Return the switches and weights of the settings; what makes no sense there counts as not set."""
    weights = ensemble_weights(settings.ENSEMBLE_ALS_WEIGHT, settings.ENSEMBLE_TWO_TOWER_WEIGHT)
    switches = {engine: getattr(settings, name) for name, engine in SWITCHES.items()}
    set_ones = {engine: value for engine, value in switches.items() if is_switch(value)}
    return Layer(ENVIRONMENT, {} if weights is None else {"weights": weights}, set_ones)


def threshold_routes(cold: int, warm: int) -> tuple[tuple[int, str], ...]:
    """Return the plan's three routes."""
    return ((0, "content_based"), (cold, "als"), (warm, "ensemble"))


def _stored_thresholds(row: ServingPolicy) -> tuple[tuple[int, str], ...] | None:
    cold, warm = row.cold_start_threshold, row.warm_user_threshold
    if cold is None and warm is None:
        return None
    cold = settings.COLD_START_THRESHOLD if cold is None else cold
    return threshold_routes(cold, max(cold, settings.WARM_USER_THRESHOLD if warm is None else warm))


def _as_routes(routes: Any) -> tuple[tuple[int, str], ...]:
    return tuple((count, engine) for count, engine in routes)


def _to_one(weights: Mapping[str, float]) -> dict[str, float] | None:
    total = sum(weights.values())
    return {engine: weight / total for engine, weight in weights.items()} if total > 0 else None
