"""Trains the two-tower engine with torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from recommender_app.dataset.dataset import Dataset
from recommender_app.engines.two_tower import TwoTowerEngine
from recommender_app.exceptions import ConfigurationError
from recommender_app.trainers.base import Progress, Trainer, TrainerConfig, Watch, require_data, silent
from recommender_app.trainers.two_tower_batches import TrainingData, prepare
from recommender_app.trainers.two_tower_config import TwoTowerConfig
from recommender_app.trainers.two_tower_export import Encoders, export_engine
from recommender_app.trainers.two_tower_features import fit_encoder
from recommender_app.trainers.two_tower_fit import Fit, Plan
from recommender_app.trainers.two_tower_model import ModelShape, Tables, new_tables
from recommender_app.trainers.two_tower_validation import Validation, carve, ndcg

WORTH_A_REFIT = 0.02  # share of the positives that validation withheld


class TwoTowerTrainer(Trainer):
    """Softmax over users with all their positives (Yi et al., RecSys 2019, with users as batches).

    Dislikes are never targets and say nothing as history. Early stopping watches ndcg@20 on
    positives held out inside the dataset; where those are a real part of it, the model is then
    trained once more on everything.
    """

    key: ClassVar[str] = "two_tower"
    Config: ClassVar[type[TrainerConfig]] = TwoTowerConfig

    def train(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> TwoTowerEngine:
        """Return the engine; the same bytes for the same data, config and seed on one thread and no deadline.

        Raises:
            NotEnoughData: no user has a liked item.
            TrainingError: the loss diverged, or the checkpoint is of another run.
            ConfigurationError: CUDA was asked for and is not there.
        """
        return self.train_watched(dataset, config, seed, progress, lambda done, total, engine_of_now: None)

    def train_watched(
        self, dataset: Dataset, config: TrainerConfig | None, seed: int, progress: Progress, watch: Watch
    ) -> TwoTowerEngine:
        """Like ``train``; a step is an epoch after which early stopping looks at the model."""
        config = config if isinstance(config, TwoTowerConfig) else TwoTowerConfig()
        require_data(dataset)
        with _threads(config.threads):
            return _Run(dataset, config, seed, progress, watch).train()


class _Run:
    """One call of ``train``: what its fits share."""

    def __init__(self, dataset: Dataset, config: TwoTowerConfig, seed: int, progress: Progress, watch: Watch) -> None:
        self.dataset, self.config, self.seed, self.progress, self.watch = dataset, config, seed, progress, watch
        self.started = time.monotonic()
        self.device = _device(config)
        self.temperature = config.temperature_for(dataset)
        self.encoders = Encoders(
            fit_encoder(dataset.item_features, config.max_tokens), fit_encoder(dataset.user_features, config.max_tokens)
        )

    def train(self) -> TwoTowerEngine:
        rng = np.random.default_rng([self.seed, 1])
        rest, validation = carve(self.dataset, self.config.validation_fraction, self.config.validation_users, rng)
        if validation is None:
            return self._fit(self.dataset, self.config.epochs)[0]
        withheld = 1.0 - rest.positives.nnz / self.dataset.positives.nnz
        will_refit = self.config.refit and withheld >= WORTH_A_REFIT
        engine, best_epoch = self._fit(rest, self.config.epochs, validation, 0.5 if will_refit else 1.0)
        return self._fit(self.dataset, best_epoch, name="refit")[0] if will_refit else engine

    def _fit(
        self,
        dataset: Dataset,
        epochs: int,
        validation: Validation | None = None,
        budget_share: float = 1.0,
        name: str = "fit",
    ) -> tuple[TwoTowerEngine, int]:
        data = prepare(dataset, self.encoders.content, self.encoders.profile, self.config)
        plan = Plan(
            epochs=epochs,
            temperature=self.temperature,
            measure=self._measuring(data, validation) if validation else None,
            deadline=self._deadline(budget_share),
            checkpoint=Path(f"{self.config.checkpoint}.{name}") if self.config.checkpoint else None,
            label=name,
        )
        tables = self._new_tables()
        epoch = Fit(tables, data, self.config, self.seed, plan).run(self.progress)
        return self._export(tables, data), epoch

    def _measuring(self, data: TrainingData, validation: Validation) -> Callable[[Tables], float]:
        epochs = count(1)

        def measure(tables: Tables) -> float:
            engine = self._export(tables, data)
            self.watch(next(epochs), self.config.epochs, lambda: engine)
            return ndcg(engine, validation)

        return measure

    def _new_tables(self) -> Tables:
        content, profile = self.encoders.content.width, self.encoders.profile.width
        shape = ModelShape(self.dataset.n_items, content, profile, self.config.dimension, self.config.dense_layers)
        tables = new_tables(shape, torch.Generator().manual_seed(self.seed))
        return {name: table.to(self.device) for name, table in tables.items()}

    def _export(self, tables: Tables, data: TrainingData) -> TwoTowerEngine:
        half_life_days = self.config.half_life_days or 0.0
        return export_engine(tables, data, self.encoders, half_life_days, self.temperature)

    def _deadline(self, share: float) -> float | None:
        budget = self.config.time_budget_seconds
        return None if budget is None else self.started + share * budget


def _device(config: TwoTowerConfig) -> torch.device:
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ConfigurationError("device=cuda, but torch finds no CUDA here: choose device=cpu or auto.")
    name = "cuda" if config.device != "cpu" and torch.cuda.is_available() else "cpu"
    return torch.device(name)


@contextmanager
def _threads(n: int) -> Iterator[None]:
    """Give torch ``n`` threads (0 = as it is) and put its own number back."""
    before = torch.get_num_threads()
    try:
        if n:
            torch.set_num_threads(n)
        yield
    finally:
        torch.set_num_threads(before)
