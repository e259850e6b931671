"""How an ensemble's members are trained where its weights are fitted: as they are where they serve."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from recommender_app.engines.ensemble import MEMBER_VERSIONS, PLANNED
from recommender_app.exceptions import ConfigurationError
from recommender_app.models import ModelVersion
from recommender_app.registry.tuned import TUNING
from recommender_app.trainers.base import THREAD_OPTIONS, TrainerConfig
from recommender_app.trainers.catalog import trainer_of
from recommender_app.trainers.ensemble import EnsembleConfig

_NOT_OPTIONS = (MEMBER_VERSIONS, TUNING, *THREAD_OPTIONS)


def options_of(version: ModelVersion) -> dict[str, Any]:
    """Return what a version was trained with, without what says where that comes from."""
    return {name: value for name, value in version.config.items() if name not in (MEMBER_VERSIONS, TUNING)}


def member_options(configs: Mapping[str, Mapping[str, Any]]) -> str:
    """Return ``EnsembleConfig.member_options`` of what members are trained with.

    Defaults are left out, and so is what only the trainer of a host understands: the ensemble
    trains its members with the trainers that are shipped here.

    Args:
        configs: {engine key: every option}.
    """
    unusual = {key: _unusual(key, options) for key, options in sorted(configs.items())}
    chosen = {key: options for key, options in unusual.items() if options}
    return json.dumps(chosen, sort_keys=True) if chosen else ""


def member_recipes(config: TrainerConfig, lent: Mapping[str, TrainerConfig]) -> dict[str, TrainerConfig]:
    """Return {engine key: configuration} of an ensemble's members; a lent one where it says what the ensemble wants.

    What only the trainer of a host understands is in no ensemble's options, and does not count here.
    """
    if not isinstance(config, EnsembleConfig):
        return dict(lent)  # a host's own may ask for them
    wanted = config.member_configs()
    keys = sorted({key.strip() for key in config.members.split(",")} - {""} | set(PLANNED))
    return {key: _recipe(key, wanted.get(key), lent.get(key)) for key in keys}


def _recipe(key: str, wanted: TrainerConfig | None, lent: TrainerConfig | None) -> TrainerConfig:
    options = wanted.to_json() if wanted else {}
    if lent is not None and _unusual(key, lent.to_json()) == _unusual(key, options):
        return lent
    return wanted or trainer_of(key).Config()


def _unusual(key: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are not the default ones; none where they make no sense to the shipped trainer."""
    try:
        kind = trainer_of(key).Config
        asked = kind.from_json({name: value for name, value in options.items() if name not in _NOT_OPTIONS})
    except ConfigurationError:
        return {}
    defaults = kind().to_json()
    return {name: value for name, value in asked.to_json().items() if value != defaults[name]}
