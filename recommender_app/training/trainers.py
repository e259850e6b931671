"""From an engine key to its trainer and the trainer's configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from django.utils.module_loading import import_string

from recommender_app.conf import settings
from recommender_app.exceptions import ConfigurationError
from recommender_app.trainers.base import THREAD_OPTIONS, Trainer, TrainerConfig


def trainer_keys() -> list[str]:
    """Return the engines that can be trained, in the order of the setting TRAINERS."""
    return list(settings.trainers)


def load_trainer(engine_key: str) -> Trainer:
    """Return the trainer of an engine; its dotted path is resolved here and nowhere else.

    Raises:
        ConfigurationError: no trainer is configured, or it cannot be imported.
    """
    path = settings.trainers.get(engine_key)
    if path is None:
        raise ConfigurationError(f"There is no trainer for {engine_key!r}: choose from {', '.join(trainer_keys())}.")
    try:
        trainer: Trainer = import_string(path)()
    except ImportError as error:
        raise ConfigurationError(
            f"The trainer of {engine_key!r} cannot be imported ({error}): "
            "pip install 'django-recommender-app[train]', or correct RECOMMENDER['TRAINERS']."
        ) from error
    return trainer


def build_config(
    trainer: Trainer,
    overrides: Mapping[str, Any],
    preset: str | None = None,
    tuned: Mapping[str, Any] | None = None,
) -> TrainerConfig:
    """Return the trainer's configuration: the setting N_THREADS, over it the preset, over it the overrides.

    Args:
        tuned: what a search has found, see ``tuning_layer``; it stands in the place of the preset
            if none is named.

    Raises:
        ConfigurationError: an unknown preset or option, or a value that cannot be.
    """
    layer = tuned if tuned is not None and preset is None else _preset(trainer, preset)
    return trainer.Config.from_json({**_threads(trainer), **layer, **overrides})


def _threads(trainer: Trainer) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(trainer.Config)}
    return {name: settings.N_THREADS for name in THREAD_OPTIONS if name in names}


def _preset(trainer: Trainer, preset: str | None) -> Mapping[str, Any]:
    presets = trainer.Config.PRESETS
    if preset is None:
        return {}
    if preset not in presets:
        known = f"choose from {', '.join(presets)}" if presets else "it has none"
        raise ConfigurationError(f"The trainer of {trainer.key} has no preset {preset!r}: {known}.")
    return presets[preset]
