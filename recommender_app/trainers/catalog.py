"""The trainers shipped here, by engine key; their libraries are imported on first use."""

from __future__ import annotations

from importlib import import_module

from recommender_app.exceptions import ConfigurationError
from recommender_app.trainers.base import Trainer

_TRAINERS = {
    "popular": ("recommender_app.trainers.popularity", "PopularityTrainer"),
    "trending": ("recommender_app.trainers.popularity", "TrendingTrainer"),
    "als": ("recommender_app.trainers.als", "ALSTrainer"),
    "content_based": ("recommender_app.trainers.content", "ContentTrainer"),
    "two_tower": ("recommender_app.trainers.two_tower", "TwoTowerTrainer"),
    "item_graph": ("recommender_app.trainers.item_graph", "ItemGraphTrainer"),
    "item_knn": ("recommender_app.trainers.item_knn", "ItemKNNTrainer"),
    "ensemble": ("recommender_app.trainers.ensemble", "EnsembleTrainer"),
}


def trainer_of(key: str) -> Trainer:
    """Return the trainer of an engine key.

    Raises:
        ConfigurationError: the key is unknown.
    """
    if key not in _TRAINERS:
        raise ConfigurationError(f"There is no trainer for {key!r}: choose from {', '.join(_TRAINERS)}.")
    module, name = _TRAINERS[key]
    return getattr(import_module(module), name)()
