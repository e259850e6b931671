"""From a policy and an interaction count to the order in which engines are asked: a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NEWEST = "newest"  # no engine: the newest eligible items, straight from the host's table

NO_MODEL = "no_model"
NO_HISTORY = "no_history"
ENGINE_FAILED = "engine_failed"
ARTIFACT_DAMAGED = "artifact_damaged"
NOT_ENOUGH_ITEMS = "not_enough_items"
EMPTY_CATALOGUE = "empty_catalogue"
DATABASE_UNAVAILABLE = "database_unavailable"
FALLBACK_REASONS = (
    NO_MODEL,
    NO_HISTORY,
    ENGINE_FAILED,
    ARTIFACT_DAMAGED,
    NOT_ENOUGH_ITEMS,
    EMPTY_CATALOGUE,
    DATABASE_UNAVAILABLE,
)

# Who stands in first for a routed engine that cannot answer, before the general order.
ALTERNATIVES: Mapping[str, tuple[str, ...]] = {"als": ("two_tower",), "ensemble": ("two_tower", "als")}
FALLBACK_ORDER = ("ensemble", "als", "two_tower", "content_based", "popular")


@dataclass(frozen=True)
class Policy:
    """Which engine is asked first, from which interaction count on.

    Attributes:
        name: for the request log.
        routes: (interaction count, engine key) in any order; the largest count that is reached decides.
    """

    name: str
    routes: tuple[tuple[int, str], ...]

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
        reason = _reason_to_skip(engine, has_history, available, damaged)
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
