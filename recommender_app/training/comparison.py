"""Engines trained on the same part and measured on the same users."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from recommender_app.conf import settings
from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.splits import Split, last_fraction_split, leave_last_out, random_split, temporal_split
from recommender_app.evaluation.evaluate import Evaluation, evaluate
from recommender_app.exceptions import ConfigurationError, NotEnoughData
from recommender_app.trainers.base import Progress, silent
from recommender_app.training.measuring import NO_TEST_USERS, train_engines
from recommender_app.training.stages import stage
from recommender_app.training.trainers import build_config, load_trainer

_SPLITS: dict[str, Callable[[Dataset, float, int], Split]] = {
    "temporal": lambda dataset, fraction, seed: temporal_split(dataset, fraction),
    "random": lambda dataset, fraction, seed: random_split(dataset, fraction, seed),
    "last": lambda dataset, fraction, seed: last_fraction_split(dataset, fraction),
    "leave-last-out": lambda dataset, fraction, seed: leave_last_out(dataset),
}
SPLIT_NAMES = tuple(_SPLITS)


def make_split(dataset: Dataset, name: str, seed: int) -> Split:
    """Return the split of a name; the setting TEST_FRACTION says how much of the data is test.

    Raises:
        ConfigurationError: there is no such split.
    """
    if name not in _SPLITS:
        raise ConfigurationError(f"There is no split {name!r}: choose from {', '.join(SPLIT_NAMES)}.")
    return _SPLITS[name](dataset, settings.TEST_FRACTION, seed)


def compare_engines(
    dataset: Dataset,
    engine_keys: Sequence[str],
    split_name: str,
    *,
    seed: int,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Train each engine on the split's train part and measure all of them on the same users.

    Args:
        overrides: {engine key: {option: value}}.

    Raises:
        ConfigurationError: an unknown engine, split or option.
        NotEnoughData: the train part is too small for an engine, or there is no user to measure on.
    """
    chosen = overrides or {}
    configs = {key: build_config(load_trainer(key), chosen.get(key, {})) for key in engine_keys}
    split = make_split(dataset, split_name, seed)
    evaluation = evaluate(
        train_engines(split, configs, seed, progress), split, seed=seed, progress=stage(progress, "measuring")
    )
    if not evaluation.n_users:
        raise NotEnoughData(f"There is nothing to measure on with the {split_name} split: {NO_TEST_USERS}.")
    return evaluation
