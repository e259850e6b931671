"""What the two-tower trainer can be told. No torch: settings pages may read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from recommender_app.dataset.dataset import Dataset
from recommender_app.exceptions import ConfigurationError
from recommender_app.trainers.base import TrainerConfig

DENSE_DATA = 0.01  # share of filled cells from which on the higher temperature pays
MAX_DENSE_LAYERS = 2


@dataclass(frozen=True)
class TwoTowerConfig(TrainerConfig):
    """Defaults are the measured recipe.

    Attributes:
        dimension: length of the vectors; 64 is smaller and a little worse.
        epochs: at most so many; one is a pass over all users, on small data at least
            ``min_steps`` batches. Early stopping usually ends before.
        min_steps: batches of an epoch, at least.
        batch_users: users of a batch, each with all positives.
        sampled_items: uniform negatives beside the batch's own items.
        full_softmax_below: a catalogue smaller than this is never sampled.
        temperature: cosines are divided by it; None = 0.1 on sparse data, 0.2 on dense.
        learning_rate: of Adam; falls linearly to almost nothing over the epochs.
        history_dropout: share of the history hidden at each step.
        id_dropout: share of steps that hide all id embeddings and teach content alone, where there is some.
        cold_user_share: share of users whose whole history is hidden, where there are profiles.
        dense_layers: 0, 1 or 2 layers behind the pooled user.
        half_life_days: an interaction so much older than the user's newest counts half; None = no decay.
        max_tokens: words and terms kept per side, most frequent first.
        patience: epochs without a better validation ndcg@20 before training stops.
        validation_fraction: share of the positives of the validation users that is held out.
        validation_users: how many users at most give to validation.
        refit: after early stopping, train once more on everything for the best number of epochs.
        time_budget_seconds: start no epoch after it; a run that it cuts is not reproducible.
        threads: of torch, 0 = as torch finds them.
        device: "auto" takes CUDA, with mixed precision, where there is one.
        checkpoint: file written after each epoch and resumed from where it is there.
    """

    dimension: int = 128
    epochs: int = 12
    min_steps: int = 24
    batch_users: int = 256
    sampled_items: int = 2048
    full_softmax_below: int = 8000
    temperature: float | None = None
    learning_rate: float = 5e-3
    history_dropout: float = 0.5
    id_dropout: float = 0.2
    cold_user_share: float = 0.1
    dense_layers: int = 0
    half_life_days: float | None = None
    max_tokens: int = 20_000
    patience: int = 5
    validation_fraction: float = 0.15
    validation_users: int = 2000
    refit: bool = True
    time_budget_seconds: float | None = None
    threads: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    checkpoint: str | None = None

    def __post_init__(self) -> None:
        _check_at_least_one(self)
        _check_shares(self)
        if not 0 <= self.dense_layers <= MAX_DENSE_LAYERS:
            raise ConfigurationError(f"dense_layers={self.dense_layers}: choose 0, 1 or 2.")
        for name in ("temperature", "learning_rate", "half_life_days", "time_budget_seconds"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ConfigurationError(f"{name}={value} must be a number above 0.")

    def temperature_for(self, dataset: Dataset) -> float:
        """Return the temperature that was set, else the one for this data's density."""
        if self.temperature is not None:
            return self.temperature
        positives = dataset.positives
        cells = int((positives.getnnz(axis=1) > 0).sum()) * int((positives.getnnz(axis=0) > 0).sum())
        return 0.2 if positives.nnz >= DENSE_DATA * cells else 0.1


def _check_at_least_one(config: TwoTowerConfig) -> None:
    for name in ("dimension", "epochs", "min_steps", "batch_users", "patience"):
        if getattr(config, name) < 1:
            raise ConfigurationError(f"{name}={getattr(config, name)} must be at least 1.")
    for name in ("sampled_items", "full_softmax_below", "max_tokens", "validation_users", "threads"):
        if getattr(config, name) < 0:
            raise ConfigurationError(f"{name}={getattr(config, name)} must not be negative.")


def _check_shares(config: TwoTowerConfig) -> None:
    for name in ("history_dropout", "id_dropout", "cold_user_share", "validation_fraction"):
        if not 0 <= getattr(config, name) < 1:
            raise ConfigurationError(f"{name}={getattr(config, name)} must be at least 0 and below 1.")
