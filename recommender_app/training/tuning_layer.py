"""The options that a search has found become those of the next training."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from recommender_app.exceptions import ConfigurationError
from recommender_app.models import TunedConfig
from recommender_app.registry.live import live_release
from recommender_app.registry.tuned import TUNING, find_tuned
from recommender_app.trainers.base import Trainer, TrainerConfig
from recommender_app.training.member_options import member_options, options_of
from recommender_app.training.trainers import build_config, load_trainer, trainer_keys

ENSEMBLE = "ensemble"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChosenConfig:
    """What an engine is trained with.

    Attributes:
        config: every option.
        tuning: which search it comes from, in one line; "" for none.
    """

    config: TrainerConfig
    tuning: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the options, and where they come from under TUNING: what a run and its version remember."""
        return self.config.to_json() | ({TUNING: self.tuning} if self.tuning else {})


def choose_config(
    use_case_key: str,
    engine_key: str,
    overrides: Mapping[str, Any],
    preset: str | None = None,
    *,
    use_tuned: bool = True,
) -> ChosenConfig:
    """Return the defaults, over them what a search has found or else the preset, over them the overrides.

    A preset that is named counts more than a search. Options that the trainer does not know any
    more are left aside with a warning: they must not stop the training of every week.

    Raises:
        ConfigurationError: an unknown engine, preset or option, or a value that cannot be.
    """
    trainer = load_trainer(engine_key)
    found = find_tuned(use_case_key, engine_key) if use_tuned and preset is None else None
    if found is not None and _fits(found, trainer):
        return ChosenConfig(build_config(trainer, overrides, tuned=found.config), describe(found))
    return ChosenConfig(build_config(trainer, overrides, preset))


def tuned_overrides(
    use_case_key: str, engine_keys: Collection[str], overrides: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return {engine key: options}: what searches have found, over it the overrides.

    An ensemble's members are trained with the same options where its weights are fitted.

    Raises:
        ConfigurationError: nobody has searched for any of the engines.
    """
    rows = [find_tuned(use_case_key, key) for key in engine_keys]
    usable = {row.engine: dict(row.config) for row in rows if row is not None and _fits(row, load_trainer(row.engine))}
    if not usable:
        raise ConfigurationError(
            f"There are no tuned options of {use_case_key} for {', '.join(engine_keys)}: run recommender_tune first."
        )
    keys = [*usable, *(key for key in overrides if key not in usable)]
    found = {key: {**usable.get(key, {}), **overrides.get(key, {})} for key in keys}
    members = member_options({key: options for key, options in found.items() if key != ENSEMBLE})
    if ENSEMBLE in engine_keys and members:
        found[ENSEMBLE] = {"member_options": members, **found.get(ENSEMBLE, {})}
    return found


def fixed_options(use_case_key: str, engine_key: str) -> dict[str, str]:
    """Return what every trial of a search has, and the next training decides for itself.

    An ensemble is searched beside members as they will serve: with the options that a search has
    found, else those of what is live.
    """
    if engine_key != ENSEMBLE:
        return {}
    live = live_release(use_case_key)
    known = {member.engine: options_of(member.version) for member in live.members.all()} if live else {}
    for key in trainer_keys():
        row = find_tuned(use_case_key, key)
        if row is not None and _fits(row, load_trainer(key)):
            known[key] = dict(row.config)
    known.pop(ENSEMBLE, None)
    members = member_options(known)
    return {"member_options": members} if members else {}


def _fits(found: TunedConfig, trainer: Trainer) -> bool:
    try:
        trainer.Config.from_json(found.config)
    except ConfigurationError as error:
        logger.warning("%s %s is trained without what a search found: %s", found.use_case, found.engine, error)
        return False
    return True


def describe(found: TunedConfig) -> str:
    """Return one line about a search."""
    what = "" if found.config else ", the defaults were best"
    return f"{found.metric} {found.value:.4f} on validation, {found.n_trials} trials, {found.created_at:%Y-%m-%d}{what}"
