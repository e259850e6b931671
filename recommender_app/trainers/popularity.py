"""Counts who liked what: of all time, and in a window of days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender_app.dataset.dataset import Dataset, latest_time
from recommender_app.dataset.interactions import MICROSECONDS_PER_DAY
from recommender_app.dataset.splits import temporal_split
from recommender_app.engines.popularity import PopularityEngine, TrendingEngine
from recommender_app.evaluation.evaluate import evaluate
from recommender_app.exceptions import ConfigurationError
from recommender_app.trainers.base import Progress, Trainer, TrainerConfig, require_data, silent

WINDOW_CANDIDATES = (1.0, 3.0, 7.0, 14.0, 30.0)  # days
DEFAULT_WINDOW = 7.0  # days, where the data are too few to choose
VALIDATION_FRACTION = 0.2  # newest part of the training data that the window is chosen on


class PopularityTrainer(Trainer):
    """Counts the users who interacted positively with each item."""

    key = "popular"

    def train(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> PopularityEngine:
        """Return the engine; nothing is random, ``seed`` is not used."""
        require_data(dataset)
        counts = count_users(dataset)
        progress(1, 1, "counting")
        return PopularityEngine(counts)


@dataclass(frozen=True)
class TrendingConfig(TrainerConfig):
    """How far back "lately" goes.

    Attributes:
        window_days: days before the newest interaction that count; None = the candidate with the
            best NDCG@10 on the newest fifth of the training data.
    """

    window_days: float | None = None

    def __post_init__(self) -> None:
        if self.window_days is not None and not 0 < self.window_days < float("inf"):
            raise ConfigurationError(f"window_days={self.window_days:g} must be a positive number of days.")


class TrendingTrainer(Trainer):
    """Counts the users who interacted positively with each item in the last days of the data."""

    key = "trending"
    Config = TrendingConfig

    def train(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> TrendingEngine:
        """Return the engine; nothing is random, ``seed`` is not used."""
        require_data(dataset)
        config = config or TrendingConfig()
        assert isinstance(config, TrendingConfig)
        window_days = config.window_days or choose_window(dataset, progress)
        return count_window(dataset, window_days)


def count_users(dataset: Dataset) -> NDArray[np.float32]:
    """Return (n_items,) float32: distinct users with a positive weight for each item."""
    return dataset.positives.getnnz(axis=0).astype(np.float32)


def count_window(dataset: Dataset, window_days: float) -> TrendingEngine:
    """Return the engine of the last ``window_days`` before the newest interaction."""
    table = dataset.interactions
    begin = latest_time(table) - window_days * MICROSECONDS_PER_DAY
    recent = dataset.with_interactions(table.select(table.times > begin))
    return TrendingEngine(count_users(recent), window_days)


def choose_window(dataset: Dataset, progress: Progress = silent) -> float:
    """Return the window that predicts the newest part of ``dataset`` best; the shortest of equals.

    The validation part is cut out of the training data; test data is never seen here.
    """
    split = temporal_split(dataset, VALIDATION_FRACTION)
    engines = {str(days): count_window(split.train, days) for days in WINDOW_CANDIDATES}
    measured = evaluate(engines, split, ks=(10,))
    progress(1, 1, "choosing the window")
    if not measured.n_users:
        return DEFAULT_WINDOW
    quality = [measured.engines[str(days)]["ndcg@10"] for days in WINDOW_CANDIDATES]
    return WINDOW_CANDIDATES[int(np.argmax(quality))]
