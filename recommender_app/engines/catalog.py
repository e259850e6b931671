"""The engines that can be opened from an artifact, by key; an artifact never names code to import."""

from __future__ import annotations

from importlib import import_module

from recommender_app.engines.base import Engine
from recommender_app.exceptions import EngineError

_ENGINES = {
    "popular": ("recommender_app.engines.popularity", "PopularityEngine"),
    "trending": ("recommender_app.engines.popularity", "TrendingEngine"),
    "als": ("recommender_app.engines.factors", "FactorEngine"),
    "item_knn": ("recommender_app.engines.item_knn", "ItemKNNEngine"),
    "content_based": ("recommender_app.engines.content", "ContentEngine"),
    "two_tower": ("recommender_app.engines.two_tower", "TwoTowerEngine"),
    "item_graph": ("recommender_app.engines.item_graph", "ItemGraphEngine"),
    "ensemble": ("recommender_app.engines.ensemble", "EnsembleEngine"),
}


def engine_keys() -> tuple[str, ...]:
    """Return every known engine key."""
    return tuple(_ENGINES)


def engine_class(key: str) -> type[Engine]:
    """Return the engine class of a key, imported on first use.

    Raises:
        EngineError: the key is unknown.
    """
    if key not in _ENGINES:
        raise EngineError(f"There is no engine {key!r}: choose from {', '.join(_ENGINES)}.")
    module, name = _ENGINES[key]
    return getattr(import_module(module), name)
