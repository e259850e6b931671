"""Which versions of its members an ensemble's weights were fitted beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from recommender_app.engines.base import Engine
from recommender_app.engines.ensemble import MEMBER_VERSIONS, EnsembleEngine
from recommender_app.models import ModelVersion, TrainingRun
from recommender_app.registry.live import live_release
from recommender_app.registry.versions import versions_beside


def fitted_beside(
    run: TrainingRun, engine: Engine, dataset_fingerprint: str, beside: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return what is added to the config of an ensemble with learned weights; {} for every other engine.

    Serving compares it with what is live: weights do not fit another version's scores. Planned
    weights are fitted to none. A candidate of the same dataset counts only for an engine of which
    nothing is live: nobody may ever promote it.

    Args:
        beside: {engine key: version name} of what goes live with the ensemble; the live ones otherwise.
    """
    if not isinstance(engine, EnsembleEngine) or run.config.get("weights") == "planned":
        return {}
    counted = [key for key, weight in engine.weights.items() if weight > 0]
    serving = _live_names(run.use_case) | dict(beside or {})
    names = versions_beside(run.use_case, counted, dataset_fingerprint) | serving
    return {MEMBER_VERSIONS: {key: names[key] for key in sorted(counted) if key in names}}


def missing_members(version: ModelVersion, promoted: Iterable[ModelVersion]) -> list[str]:
    """Return the versions a version was fitted beside that are not live once others were promoted; [] if all are."""
    live = live_release(version.use_case)
    serving = {member.engine: member.version for member in live.members.all()} if live else {}
    for other in promoted:
        if other.engine not in serving or serving[other.engine].number < other.number:
            serving[other.engine] = other
    names = {member.name for member in serving.values()}
    return [name for name in (version.config.get(MEMBER_VERSIONS) or {}).values() if name not in names]


def why_held_back(version: ModelVersion, promoted: Iterable[ModelVersion]) -> str:
    """Return why a version is not promoted with others: its members would not be live; "" where they are."""
    missing = ", ".join(missing_members(version, promoted))
    return f"It stays a candidate: it was fitted beside {missing}, which would not be live with it." if missing else ""


def _live_names(use_case_key: str) -> dict[str, str]:
    live = live_release(use_case_key)
    return {member.engine: member.version.name for member in live.members.all()} if live else {}
