"""Engines of one part of a dataset, and what is stored of their measurement."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recommender_app.dataset.splits import Split
from recommender_app.engines.base import Engine
from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.trainers.base import Progress, TrainerConfig
from recommender_app.training.stages import stage
from recommender_app.training.trainers import load_trainer

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
