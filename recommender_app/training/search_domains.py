"""What one option may be in a search, and how a value of it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

STEP = 1 / 8  # of a range
DIGITS = 4  # significant ones of a drawn number: what is printed is what was tried


class Domain(Protocol):
    """The values of one option."""

    def draw(self, trial: Any, name: str, default: Any) -> Any:
        """Return a value that an Optuna trial chooses under ``name``; ``default`` is the option's own."""

    def place(self, default: Any) -> Any:
        """Return what a trial must choose to come as close to the default as the domain can."""

    def steps(self, default: Any) -> list[Any]:
        """Return what a trial must choose to be one step to either side of the default."""


class Choice:
    """One of a few values."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def __repr__(self) -> str:
        return f"Choice{self.values}"

    def draw(self, trial: Any, name: str, default: Any) -> Any:
        """See ``Domain``."""
        return trial.suggest_categorical(name, self.values)

    def place(self, default: Any) -> Any:
        """See ``Domain``; the nearest number, or the first value where the default is none of these."""
        if default in self.values or not isinstance(default, int | float):
            return default if default in self.values else self.values[0]
        return min(self.values, key=lambda value: abs(value - default))

    def steps(self, default: Any) -> list[Any]:
        """See ``Domain``."""
        place = self.values.index(self.place(default))
        return [self.values[beside] for beside in (place - 1, place + 1) if 0 <= beside < len(self.values)]


@dataclass(frozen=True)
class Range:
    """A number between two, both included; integers where both are."""

    low: float
    high: float
    is_log: bool = False

    def draw(self, trial: Any, name: str, default: Any) -> Any:
        """See ``Domain``."""
        if isinstance(self.low, int):
            return trial.suggest_int(name, self.low, int(self.high), log=self.is_log)
        return rounded(trial.suggest_float(name, self.low, self.high, log=self.is_log))

    def place(self, default: Any) -> Any:
        """See ``Domain``; the geometric middle where nobody knows the default."""
        middle = (self.low * self.high) ** 0.5
        return min(max(middle if default is None else default, self.low), self.high)

    def steps(self, default: Any) -> list[Any]:
        """See ``Domain``; an eighth of the range away."""
        place = float(self.place(default))
        if self.is_log:
            factor = (self.high / self.low) ** STEP
            wanted = [place / factor, place * factor]
        else:
            wanted = [place - STEP * (self.high - self.low), place + STEP * (self.high - self.low)]
        inside = [value for value in wanted if self.low <= value <= self.high]
        return [round(value) for value in inside] if isinstance(self.low, int) else inside


@dataclass(frozen=True)
class Factor:
    """A multiple of the default, between two, drawn on a logarithmic scale."""

    low: float
    high: float

    def draw(self, trial: Any, name: str, default: Any) -> Any:
        """See ``Domain``."""
        return rounded(float(default) * trial.suggest_float(name, self.low, self.high, log=True))

    def place(self, default: Any) -> Any:
        """See ``Domain``."""
        return 1.0

    def steps(self, default: Any) -> list[Any]:
        """See ``Domain``."""
        return [2**0.5, 0.5**0.5]


def rounded(value: float) -> float:
    """Return a number with DIGITS significant digits."""
    return float(f"{value:.{DIGITS}g}")
