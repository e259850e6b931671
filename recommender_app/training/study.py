"""Engines trained on one part of a dataset and studied on the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from recommender_app.conf import settings
from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.splits import Split
from recommender_app.engines.base import Engine
from recommender_app.evaluation.study import Study, study
from recommender_app.exceptions import NotEnoughData
from recommender_app.trainers.base import Progress, TrainerConfig, silent
from recommender_app.training.comparison import make_split
from recommender_app.training.measuring import NO_TEST_USERS, train_engines
from recommender_app.training.stages import stage
from recommender_app.training.trainers import build_config, load_trainer, trainer_keys

ALWAYS = ("popular", "trending", "item_knn")  # what has to be beaten is in every table


def study_engines(
    dataset: Dataset,
    engine_keys: Sequence[str],
    split_name: str,
    *,
    seed: int,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    required: Collection[str] = (),
    progress: Progress = silent,
) -> Study:
    """Train engines, and the baselines beside them, on the split's train part, and study them on its test users.

    Args:
        overrides: {engine key: {option: value}}.
        required: engines that must not be left out for want of data.

    Raises:
        ConfigurationError: an unknown engine, split or option.
        NotEnoughData: a required engine, or all, cannot learn from the train part, or there is
            no user to measure on.
    """
    chosen = overrides or {}
    configs = {key: build_config(load_trainer(key), chosen.get(key, {})) for key in with_baselines(engine_keys)}
    split = make_split(dataset, split_name, seed)
    engines, left_out = _train(split, configs, required, seed, progress)
    thresholds = (settings.COLD_START_THRESHOLD, settings.WARM_USER_THRESHOLD)
    measuring = stage(progress, "measuring")
    found = study(engines, split, thresholds=thresholds, seed=seed, left_out=left_out, progress=measuring)
    if not found.overall.n_users:
        raise NotEnoughData(f"There is nothing to measure on with the {split_name} split: {NO_TEST_USERS}.")
    return found


def with_baselines(engine_keys: Sequence[str]) -> list[str]:
    """Return the baselines that can be trained, then the other engines, each once."""
    baselines = [key for key in ALWAYS if key in trainer_keys()]
    return list(dict.fromkeys([*baselines, *engine_keys]))


def _train(
    split: Split, configs: Mapping[str, TrainerConfig], required: Collection[str], seed: int, progress: Progress
) -> tuple[dict[str, Engine], dict[str, str]]:
    """Return the engines, and why the others are not there."""
    engines: dict[str, Engine] = {}
    left_out = {}
    for key, config in configs.items():
        try:
            engines |= train_engines(split, {key: config}, seed, progress)
        except NotEnoughData as error:
            if key in required:
                raise
            left_out[key] = str(error)
    if not engines:
        raise NotEnoughData(f"No engine can learn from this data: {'; '.join(left_out.values())}")
    return engines, left_out
