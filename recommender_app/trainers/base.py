"""The contract of every trainer."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, get_args, get_type_hints

from recommender_app.dataset.dataset import Dataset
from recommender_app.engines.base import Engine
from recommender_app.exceptions import ConfigurationError, NotEnoughData

Progress = Callable[[int, int, str], None]  # done, total, what is being done


Watch = Callable[[int, int, Callable[[], Engine]], None]  # steps done, steps in all, makes the engine of now


def silent(done: int, total: int, label: str) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True)
class TrainerConfig:
    """What a trainer can be told; subclasses add documented fields. Round-trips through JSON."""

    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Build from JSON values or from command-line strings ("128", "none", "true").

        Raises:
            ConfigurationError: an unknown name, or a value of the wrong type.
        """
        types = get_type_hints(cls)
        fields = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - fields)
        if unknown:
            raise ConfigurationError(f"Unknown option {', '.join(unknown)}: choose from {', '.join(sorted(fields))}.")
        return cls(**{name: _convert(name, value, types[name]) for name, value in values.items()})


THREAD_OPTIONS = ("n_threads", "threads")  # what trainers call their number of threads; 0 = not said


def with_threads(config: TrainerConfig, n: int) -> TrainerConfig:
    """Return the options with ``n`` threads where they say no number of their own."""
    names = {field.name for field in dataclasses.fields(config)}
    unsaid = [name for name in THREAD_OPTIONS if name in names and not getattr(config, name)]
    return dataclasses.replace(config, **dict.fromkeys(unsaid, n))


class Trainer(ABC):
    """Learns an engine from a dataset. Same data, config and seed on one thread: same bytes."""

    key: ClassVar[str]
    Config: ClassVar[type[TrainerConfig]] = TrainerConfig

    @abstractmethod
    def train(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> Engine:
        """Return a trained engine over the dataset's item rows; ``config=None`` means the defaults.

        Raises:
            NotEnoughData: there is nothing to learn from; the message says what is missing.
            TrainingError: learning diverged.
        """

    def train_for_release(
        self, dataset: Dataset, config: TrainerConfig | None = None, seed: int = 0, progress: Progress = silent
    ) -> Engine:
        """Return what is published; an ensemble leaves out its members, which are versions of their own."""
        return self.train(dataset, config, seed, progress)

    def train_beside(
        self,
        trained: Mapping[str, Engine],
        dataset: Dataset,
        config: TrainerConfig | None = None,
        seed: int = 0,
        progress: Progress = silent,
    ) -> Engine:
        """Like ``train``; an ensemble takes members that were trained on this dataset already from ``trained``."""
        return self.train(dataset, config, seed, progress)

    def train_watched(
        self, dataset: Dataset, config: TrainerConfig | None, seed: int, progress: Progress, watch: Watch
    ) -> Engine:
        """Like ``train``; one that learns in steps calls ``watch`` after each, which may raise to end it."""
        return self.train(dataset, config, seed, progress)


def require_data(dataset: Dataset, n_users: int = 1, n_items: int = 1, n_interactions: int = 1) -> None:
    """Raise NotEnoughData unless the *positive* part of the dataset has at least these numbers."""
    positives = dataset.positives
    users = int((positives.getnnz(axis=1) > 0).sum())
    items = int((positives.getnnz(axis=0) > 0).sum())
    found = {"users": (users, n_users), "items": (items, n_items), "interactions": (positives.nnz, n_interactions)}
    missing = [f"{have} {what} (at least {need})" for what, (have, need) in found.items() if have < need]
    if missing:
        raise NotEnoughData(f"Too little to learn from: {', '.join(missing)}; only positive interactions count.")


def _convert(name: str, value: Any, expected: Any) -> Any:
    choices = [choice for choice in (get_args(expected) or (expected,)) if choice is not type(None)]
    if value is None or (isinstance(value, str) and value.lower() == "none"):
        if type(None) in get_args(expected):
            return None
        raise ConfigurationError(f"{name} must not be empty.")
    if choices and not isinstance(choices[0], type):  # Literal
        if value in choices:
            return value
        raise ConfigurationError(f"{name}={value!r}: choose from {', '.join(map(str, choices))}.")
    return _convert_scalar(name, value, choices[0])


_NO = {int: "no whole number", float: "no number", bool: "neither true nor false", str: "no text"}


def _convert_scalar(name: str, value: Any, kind: type) -> Any:
    if kind is bool and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if kind in (int, float) and not isinstance(value, bool):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            number = kind(value)
            if math.isfinite(number):
                return number
    elif isinstance(value, kind):
        return value
    raise ConfigurationError(f"{name}={value!r} is {_NO[kind]}.")
