"""Trainers that go wrong, each in its own way; put into the setting TRAINERS in the place of popularity."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
from django.utils import timezone
from scipy.sparse.csgraph import connected_components

from recommender_app.dataset.dataset import Dataset
from recommender_app.engines.confidence import Confidence
from recommender_app.engines.factors import FactorEngine
from recommender_app.engines.popularity import PopularityEngine, TrendingEngine
from recommender_app.exceptions import NotEnoughData, TrainingError
from recommender_app.models import TrainingRun
from recommender_app.trainers.base import Progress, Trainer, TrainerConfig, silent
from recommender_app.trainers.popularity import count_users

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


class Choosy(OddTrainer):
    """Finds every dataset too small."""

    def happen(self) -> None:
        raise NotEnoughData("It wants more readers.")


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


class UpsideDown(OddTrainer):
    """Recommends to everybody what the others like; says that it is ALS."""

    def train(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> FactorEngine:
        """Return an engine that takes each item of one taste for the twin of one of the other."""
        together = dataset.positives.T @ dataset.positives
        _, taste = connected_components(together, directed=False)
        place = np.array([int((taste[:row] == taste[row]).sum()) for row in range(dataset.n_items)])
        factors = np.eye(int(place.max()) + 1, dtype=np.float32)[place]
        degrees = np.ones(dataset.n_items, dtype=np.float32)
        return FactorEngine(factors, factors.T.astype(np.float64) @ factors, degrees, 0.01, Confidence(1.0, 0.0, 0.0))


class Speechless(OddTrainer):
    """Has no opinion on anything as soon as it knows everything; says that it is trending."""

    def train(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> TrendingEngine:
        """Return an engine that nothing is trending for, of an exported dataset; a good one of a part of it."""
        counts = np.zeros(dataset.n_items, dtype=np.float32) if dataset.fingerprint else count_users(dataset)
        return TrendingEngine(counts, 7.0)
