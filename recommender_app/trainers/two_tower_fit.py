"""The training loop: epochs, early stopping, checkpoints, a deadline."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recommender_app.exceptions import TrainingError
from recommender_app.trainers.base import Progress
from recommender_app.trainers.two_tower_batches import TrainingBatch, TrainingData, epoch_batches
from recommender_app.trainers.two_tower_checkpoint import identity, load_checkpoint, save_checkpoint
from recommender_app.trainers.two_tower_config import TwoTowerConfig
from recommender_app.trainers.two_tower_model import Tables, loss_of, take
from recommender_app.trainers.two_tower_optimizer import RowAdam

LAST_RATE = 0.02  # the learning rate falls linearly to this share of itself


@dataclass(frozen=True)
class Plan:
    """How one fit is to run.

    Attributes:
        epochs: how many at most.
        measure: quality of the model as it is, higher is better; None = no early stopping.
        deadline: ``time.monotonic()`` after which no epoch starts; None = no hurry.
        checkpoint: where to save and resume, or None.
        label: shown with the progress.
    """

    epochs: int
    temperature: float
    measure: Callable[[Tables], float] | None = None
    deadline: float | None = None
    checkpoint: Path | None = None
    label: str = "two-tower"


class Fit:
    """One model on its way; ``run`` brings it to its best epoch."""

    def __init__(self, tables: Tables, data: TrainingData, config: TwoTowerConfig, seed: int, plan: Plan) -> None:
        self.tables, self.data, self.config, self.seed, self.plan = tables, data, config, seed, plan
        self.optimizer = RowAdam(tables)
        self.epoch, self.best_epoch, self.best = 0, 0, -math.inf
        self.best_tables: Tables = {}
        self._identity = identity(data, config, seed) if plan.checkpoint else ""

    def run(self, progress: Progress) -> int:
        """Train, leave the tables at its best epoch, and return that epoch's number.

        Raises:
            TrainingError: the loss diverged, or the checkpoint is of another run.
        """
        self._resume()
        while not self._is_done():
            loss = self._run_epoch()
            self.epoch += 1
            quality = self._measure()
            self._save()
            progress(self.epoch, self.plan.epochs, f"{self.plan.label}: loss {loss:.3f}{quality}")
        if self.epoch < self.plan.epochs:
            progress(self.plan.epochs, self.plan.epochs, f"{self.plan.label}: no better after epoch {self.best_epoch}")
        if not self.best_tables:
            return self.epoch
        self._restore(self.best_tables)
        return self.best_epoch

    def _is_done(self) -> bool:
        is_late = self.plan.deadline is not None and self.epoch > 0 and time.monotonic() > self.plan.deadline
        is_stale = self.plan.measure is not None and self.epoch - self.best_epoch >= self.config.patience
        return is_late or is_stale or self.epoch >= self.plan.epochs

    def _run_epoch(self) -> float:
        # Seeded per epoch: a resumed run continues exactly as it would have.
        rng = np.random.default_rng([self.seed, self.epoch])
        rate = self._learning_rate()
        losses = [self._step(batch, rate) for batch in epoch_batches(self.data, self.config, rng)]
        self._check_tables()
        return float(np.mean(losses))

    def _check_tables(self) -> None:
        # Vectors too long to be measured are scaled to zero, with a loss that looks harmless.
        for table in self.tables.values():
            if not math.isfinite(float(table.square().sum())):
                raise self._diverged("parameters overflow")

    def _diverged(self, sign: str) -> TrainingError:
        rate = self.config.learning_rate
        return TrainingError(
            f"Two-tower training diverged in epoch {self.epoch + 1} ({sign}): lower learning_rate (now {rate:g})."
        )

    def _learning_rate(self) -> float:
        share = self.epoch / self.config.epochs
        return self.config.learning_rate * max(LAST_RATE, 1.0 - (1.0 - LAST_RATE) * share)

    def _step(self, batch: TrainingBatch, rate: float) -> float:
        parts = take(self.tables, batch.chosen)
        loss = loss_of(parts, batch, self.plan.temperature)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise self._diverged(f"loss {value}")
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step(parts, batch.chosen, rate)
        return value

    def _measure(self) -> str:
        if self.plan.measure is None:
            return ""
        quality = self.plan.measure(self.tables)
        if quality > self.best:
            self.best, self.best_epoch = quality, self.epoch
            self.best_tables = {name: table.clone() for name, table in self.tables.items()}
        return f", validation ndcg@20 {quality:.4f}"

    def _save(self) -> None:
        if self.plan.checkpoint is None:
            return
        values: dict[str, Any] = {
            "identity": self._identity,
            "epoch": self.epoch,
            "best_epoch": self.best_epoch,
            "best": self.best,
            "best_tables": self.best_tables,
            "tables": self.tables,
            "optimizer": self.optimizer.state(),
        }
        save_checkpoint(self.plan.checkpoint, values)

    def _resume(self) -> None:
        values = load_checkpoint(self.plan.checkpoint, self._identity) if self.plan.checkpoint else None
        if values is None:
            return
        self.epoch, self.best_epoch, self.best = values["epoch"], values["best_epoch"], values["best"]
        self.best_tables = values["best_tables"]
        self._restore(values["tables"])
        self.optimizer.restore(values["optimizer"])

    def _restore(self, stored: Tables) -> None:
        for name, table in stored.items():
            self.tables[name].copy_(table)
