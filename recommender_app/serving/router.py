"""From a policy and an interaction count to the order in which engines are asked: a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from recommender_app.engines.fusion import Fusion

NEWEST = "newest"  # no engine: the newest eligible items, straight from the host's table

NO_MODEL = "no_model"
NO_HISTORY = "no_history"
ENGINE_FAILED = "engine_failed"
ARTIFACT_DAMAGED = "artifact_damaged"
NOT_ENOUGH_ITEMS = "not_enough_items"
EMPTY_CATALOGUE = "empty_catalogue"
DATABASE_UNAVAILABLE = "database_unavailable"
SWITCHED_OFF = "switched_off"  # by the policy in force
DEADLINE = "deadline"  # its recent cost did not fit into the time that was left
BREAKER_OPEN = "breaker_open"  # it failed too often lately
PIN_NOT_LOADED = "pin_not_loaded"  # the arm of an experiment pins a release that is not in memory; the live one answers
FALLBACK_REASONS = (
    SWITCHED_OFF,
    NO_MODEL,
    NO_HISTORY,
    ENGINE_FAILED,
    DEADLINE,
    BREAKER_OPEN,
    ARTIFACT_DAMAGED,
    NOT_ENOUGH_ITEMS,
    EMPTY_CATALOGUE,
    DATABASE_UNAVAILABLE,
    PIN_NOT_LOADED,
)

# Who stands in first for a routed engine that cannot answer, before the general order.
ALTERNATIVES: Mapping[str, tuple[str, ...]] = {"als": ("two_tower",), "ensemble": ("two_tower", "als")}
FALLBACK_ORDER = ("ensemble", "als", "two_tower", "content_based", "popular")


@dataclass(frozen=True)
class Policy:
    """How the requests of a use case are served.

    Attributes:
        name: for the request log.
        routes: (interaction count, engine key) in any order; the largest count that is reached decides.
        origin: the highest level that had a say: default, use case, admin, environment or arm.
        origins: {field: level} of every field, for those who ask why.
        disabled: engines that are switched off; they are not asked, and no ensemble uses them.
        weights: {engine key: weight} of the ensemble, summing to one; None = as trained.
        fusion: of the ensemble, see ``engines.fusion``; None = as trained.
        diversity: 0 = by score alone, 1 = as different as possible.
        caps: {attribute: at most so many items of one value}.
        fatigue_after: items shown so often and ignored sink; 0 = never.
        exploration: share of places for new items, 0..0.5.
    """

    name: str
    routes: tuple[tuple[int, str], ...]
    origin: str = "default"
    disabled: frozenset[str] = frozenset()
    weights: Mapping[str, float] | None = None
    fusion: Fusion | None = None
    diversity: float = 0.0
    caps: Mapping[str, int] = field(default_factory=dict)
    fatigue_after: int = 0
    exploration: float = 0.0
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def rearranges(self) -> bool:
        """Whether the slate may differ from the order of scores."""
        return bool(self.diversity or self.caps or self.fatigue_after or self.exploration)

    @cached_property
    def ensemble_wish(self) -> tuple[Any, ...]:
        """What the policy changes about ensembles, as a key for what is derived from it."""
        weights = None if self.weights is None else tuple(sorted(self.weights.items()))
        return weights, self.fusion, self.disabled

    def primary(self, interaction_count: int) -> str:
        """Return the routed engine; NEWEST where no route is reached."""
        reached = [route for route in sorted(self.routes, key=lambda route: route[0]) if route[0] <= interaction_count]
        return reached[-1][1] if reached else NEWEST


@dataclass(frozen=True)
class EngineFlags:
    """What the router must know of a loaded engine.

    Attributes:
        needs_history: it has no opinion for a user who liked nothing yet.
    """

    needs_history: bool


@dataclass(frozen=True)
class Route:
    """The decision for one request.

    Attributes:
        primary: the engine that the policy names.
        engines: engines to ask, in order; NEWEST always comes after the last of them.
        skipped: {engine: fallback reason} of those that would have been asked but cannot answer.
    """

    primary: str
    engines: tuple[str, ...]
    skipped: Mapping[str, str] = field(default_factory=dict)


def chain(
    policy: Policy,
    interaction_count: int,
    has_history: bool,
    available: Mapping[str, EngineFlags],
    damaged: frozenset[str] = frozenset(),
) -> Route:
    """Return which engines to ask, in which order, and why others are left out.

    Args:
        interaction_count: the number that routes.
        has_history: whether the user liked at least one item.
        available: loaded engines.
        damaged: engines of the live release whose artifact could not be loaded.
    """
    primary = policy.primary(interaction_count)
    if primary == NEWEST:
        return Route(primary, ())
    engines, skipped = [], {}
    for engine in dict.fromkeys((primary, *ALTERNATIVES.get(primary, ()), *FALLBACK_ORDER)):
        off = SWITCHED_OFF if engine in policy.disabled else ""
        reason = off or _reason_to_skip(engine, has_history, available, damaged)
        if reason:
            skipped[engine] = reason
        else:
            engines.append(engine)
    return Route(primary, tuple(engines), skipped)


def _reason_to_skip(
    engine: str,
    has_history: bool,
    available: Mapping[str, EngineFlags],
    damaged: frozenset[str],
) -> str:
    if engine in damaged:
        return ARTIFACT_DAMAGED
    if engine not in available:
        return NO_MODEL
    if available[engine].needs_history and not has_history:
        return NO_HISTORY
    return ""
