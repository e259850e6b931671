"""Trainers that go wrong, each in its own way; put into the setting TRAINERS in the place of popularity."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
from django.utils import timezone

from recommender_app.dataset.dataset import Dataset
from recommender_app.engines.popularity import PopularityEngine
from recommender_app.exceptions import TrainingError
from recommender_app.models import TrainingRun
from recommender_app.trainers.base import Progress, Trainer, TrainerConfig, silent

MODULE = __name__


class OddTrainer(Trainer):
    """Trains like popularity, after ``happen`` has happened."""

    key = "popular"

    def happen(self) -> None:
        """Go wrong."""

    def train(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> PopularityEngine:
        """Return an engine of equal counts."""
        self.happen()
        return PopularityEngine(np.ones(dataset.n_items, dtype=np.float32))


class Diverging(OddTrainer):
    """Says itself that it failed, on two lines."""

    def happen(self) -> None:
        raise TrainingError("It diverged.\n  Train again.")


class Mistaken(OddTrainer):
    """Has a bug."""

    def happen(self) -> None:
        raise ZeroDivisionError("division by zero")


class Interrupted(OddTrainer):
    """Somebody presses Ctrl-C."""

    def happen(self) -> None:
        raise KeyboardInterrupt


class WithoutItsLibrary(OddTrainer):
    """Imports when it trains, as ours do."""

    def happen(self) -> None:
        raise ModuleNotFoundError("No module named 'implicit'")


class Overslept(OddTrainer):
    """Loses its lease, and somebody else starts."""

    def happen(self) -> None:
        from tests.app.registered import start

        past = timezone.now() - timedelta(seconds=1)
        if TrainingRun.objects.filter(status="running", requested_by="command").update(lease_until=past):
            start("popular")


class Endless(OddTrainer):
    """Reports that it has begun, and never ends."""

    def happen(self) -> None:
        Path(os.environ["STARTED"]).touch()
        time.sleep(600)


class NotANumber(OddTrainer):
    """Learns an engine that holds NaN."""

    def train(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> PopularityEngine:
        """Return it."""
        engine = super().train(dataset, config, seed, progress)
        engine.counts = np.full(dataset.n_items, np.nan, dtype=np.float32)
        return engine
