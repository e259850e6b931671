"""Which versions of its members an ensemble's weights were fitted beside."""

from __future__ import annotations

from typing import Any

from recommender_app.engines.base import Engine
from recommender_app.engines.ensemble import MEMBER_VERSIONS, EnsembleEngine
from recommender_app.models import TrainingRun
from recommender_app.registry.versions import versions_beside


def fitted_beside(run: TrainingRun, engine: Engine, dataset_fingerprint: str) -> dict[str, Any]:
    """Return what is added to the config of an ensemble with learned weights; {} for every other engine.

    Serving compares it with what is live: weights do not fit another version's scores. Planned
    weights are fitted to none.
    """
    if not isinstance(engine, EnsembleEngine) or run.config.get("weights") == "planned":
        return {}
    counted = [key for key, weight in engine.weights.items() if weight > 0]
    return {MEMBER_VERSIONS: versions_beside(run.use_case, counted, dataset_fingerprint)}
