"""A new version is measured beside popularity before it exists."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recommender_app.conf import settings
from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.splits import Split, temporal_split
from recommender_app.engines.base import Engine
from recommender_app.evaluation.evaluate import Evaluation, evaluate
from recommender_app.exceptions import NotEnoughData, RecommenderError
from recommender_app.trainers.base import Progress, TrainerConfig
from recommender_app.training.stages import stage
from recommender_app.training.trainers import build_config, load_trainer, trainer_keys

logger = logging.getLogger(__name__)

BASELINES = ("popular", "trending")
NO_TEST_USERS = "nobody who is in the older part of the data has a new relevant interaction in its newest part"


@dataclass(frozen=True)
class Measurement:
    """An evaluation, or a note why there is none."""

    evaluation: Evaluation | None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what is stored with the version; metrics without a value are left out."""
        if self.evaluation is None:
            return {"protocol": "", "n_users": 0, "engines": {}, "note": self.note}
        engines = {
            engine: {metric: value for metric, value in measured.items() if math.isfinite(value)}
            for engine, measured in self.evaluation.engines.items()
        }
        return {"protocol": self.evaluation.protocol, "n_users": self.evaluation.n_users, "engines": engines}


def measure(dataset: Dataset, engine_key: str, config: TrainerConfig, seed: int, progress: Progress) -> Measurement:
    """Train on the older part, rank for the users of the newest, beside the baselines on the same users.

    Data too thin to measure is no error: the measurement then carries a note.
    """
    split = temporal_split(dataset, settings.TEST_FRACTION)
    if not len(split.test):
        return Measurement(None, f"Not measured: {NO_TEST_USERS}.")
    try:
        own = train_engines(split, {engine_key: config}, seed, progress)
    except NotEnoughData as error:
        return Measurement(None, f"Not measured, the older part of the data is too small: {error}")
    trained = _train_baselines(split, engine_key, seed, progress) | own
    engines = {key: trained[key] for key in dict.fromkeys((*BASELINES, engine_key)) if key in trained}
    evaluation = evaluate(engines, split, seed=seed, progress=stage(progress, "measuring"))
    return Measurement(evaluation) if evaluation.n_users else Measurement(None, f"Not measured: {NO_TEST_USERS}.")


def _train_baselines(split: Split, engine_key: str, seed: int, progress: Progress) -> dict[str, Engine]:
    """Train what the engine is compared with; a baseline that fails is no reason not to have the engine."""
    engines: dict[str, Engine] = {}
    for key in BASELINES:
        if key != engine_key and key in trainer_keys():
            try:
                engines |= train_engines(split, {key: build_config(load_trainer(key), {})}, seed, progress)
            except RecommenderError as error:
                logger.warning("%s is measured without %s: %s", engine_key, key, error)
    return engines


def train_engines(
    split: Split,
    configs: Mapping[str, TrainerConfig],
    seed: int,
    progress: Progress,
    trained: Mapping[str, Engine] | None = None,
) -> dict[str, Engine]:
    """Return {engine key: engine} trained on the split's train part, in the order of ``configs``.

    Args:
        trained: engines of that part that exist already; ensembles take them as members.
    """
    engines = dict(trained or {})
    for key, config in sorted(configs.items(), key=lambda pair: pair[0] == "ensemble"):
        report = stage(progress, f"{key} on the train part")
        engines[key] = load_trainer(key).train_beside(engines, split.train, config, seed, report)
    return {key: engines[key] for key in configs}
