"""What a search has tried, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

DEFAULT = "default"


class Outcome(StrEnum):
    """How a trial ended."""

    MEASURED = "measured"
    PRUNED = "pruned"  # behind the others after a part of its learning
    FAILED = "failed"


@dataclass(frozen=True)
class Trial:
    """One configuration.

    Attributes:
        number: from 0; trials that somebody interrupted do not count.
        origin: ``default``, the name of a preset, or "" for what was drawn.
        options: {option: value} over the defaults.
        value: of the metric; where it was pruned, of the half-learned engine; None where it failed.
        seconds: wall time.
        reason: why it failed.
    """

    number: int
    origin: str
    options: Mapping[str, Any]
    outcome: Outcome
    value: float | None
    seconds: float
    reason: str = ""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return f"{self.number} ({self.origin})" if self.origin else str(self.number)


def ranked(trials: tuple[Trial, ...]) -> list[Trial]:
    """Return the measured trials, best first; of equals the default, then the earlier one."""
    measured = [trial for trial in trials if trial.outcome == Outcome.MEASURED]
    return sorted(measured, key=lambda trial: (-(trial.value or 0.0), trial.origin != DEFAULT, trial.number))


@dataclass(frozen=True)
class TuningResult:
    """What a search has found.

    Attributes:
        engine, metric, seed: of the search.
        trials: all, those of a resumed search included.
        protocol: one line that says how they were measured.
        n_resumed: how many trials were there before.
        was_interrupted: somebody pressed Ctrl-C.
        is_exhausted: the search stopped because it drew what it knew already.
    """

    engine: str
    metric: str
    seed: int
    trials: tuple[Trial, ...]
    protocol: str
    n_resumed: int = 0
    was_interrupted: bool = False
    is_exhausted: bool = False

    @property
    def best(self) -> Trial:
        """The trial to use; the default wins ties."""
        return ranked(self.trials)[0]

    @property
    def default(self) -> Trial:
        """The trial of the trainer's own options."""
        return next(trial for trial in ranked(self.trials) if trial.origin == DEFAULT)
