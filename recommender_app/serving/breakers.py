"""Which engines this process leaves alone for now: those that keep failing, and those that take too long."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from recommender_app import conf
from recommender_app.serving.circuit import CircuitBreaker
from recommender_app.serving.deadline import Deadline, RecentCost
from recommender_app.serving.router import BREAKER_OPEN, DEADLINE

logger = logging.getLogger(__name__)

LAST_RUNGS = ("popular",)  # never too late for: a list of what is popular beats one of what is new


@dataclass(frozen=True)
class _Watched:
    breaker: CircuitBreaker
    cost: RecentCost


_watched: dict[tuple[str, str], _Watched] = {}  # (use case key, engine key or "engine@release")


def refusal(use_case_key: str, engine: str, deadline: Deadline) -> str:
    """Return "" if the engine may be asked now, else the fallback reason: DEADLINE or BREAKER_OPEN.

    Whoever is told "" must report with ``succeeded``, ``failed`` or, where nothing was found out, ``released``.
    """
    watched = _of(use_case_key, engine)
    if engine.partition("@")[0] not in LAST_RUNGS and not watched.cost.fits(deadline):
        return DEADLINE
    return "" if watched.breaker.allows() else BREAKER_OPEN


def succeeded(use_case_key: str, engine: str, ms: float) -> None:
    """Take note of an engine that answered, and of how long it took."""
    watched = _of(use_case_key, engine)
    watched.cost.add(ms)
    if watched.breaker.succeeded():
        logger.warning("The engine %s of %s works again.", engine, use_case_key)


def released(use_case_key: str, engine: str) -> None:
    """Take note of an engine that had nothing to do after all: it neither worked nor failed."""
    _of(use_case_key, engine).breaker.released()


def failed(use_case_key: str, engine: str) -> None:
    """Take note of an engine that raised."""
    if _of(use_case_key, engine).breaker.failed():
        settings = conf.settings
        logger.error(
            "The engine %s of %s failed %s times in %s seconds: it is left alone for %s seconds.",
            engine,
            use_case_key,
            settings.BREAKER_ERRORS,
            settings.BREAKER_WINDOW_SECONDS,
            settings.BREAKER_OPEN_SECONDS,
        )


def states() -> dict[str, dict[str, str]]:
    """Return {use case key: {engine key: "closed", "open" or "trial"}} of every engine this process asked."""
    found: dict[str, dict[str, str]] = {}
    for (use_case_key, engine), watched in sorted(_watched.items()):
        found.setdefault(use_case_key, {})[engine] = watched.breaker.state
    return found


def expected_ms() -> dict[str, dict[str, float]]:
    """Return {use case key: {engine key: milliseconds}}, what each engine is expected to cost now."""
    found: dict[str, dict[str, float]] = {}
    for (use_case_key, engine), watched in sorted(_watched.items()):
        found.setdefault(use_case_key, {})[engine] = watched.cost.expected_ms
    return found


def forget() -> None:
    """Drop everything that was noted."""
    _watched.clear()


def _of(use_case_key: str, engine: str) -> _Watched:
    key = (use_case_key, engine)
    return _watched.get(key) or _watched.setdefault(key, _new())


def _new() -> _Watched:
    settings = conf.settings
    breaker = CircuitBreaker(settings.BREAKER_ERRORS, settings.BREAKER_WINDOW_SECONDS, settings.BREAKER_OPEN_SECONDS)
    return _Watched(breaker, RecentCost())


conf.on_reload.append(forget)
