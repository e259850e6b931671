"""One figure: what was measured, what it may be, and whether it is."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.stats import binom

STRICT_RUNS = 2_000  # from here on the stated bounds are kept as they are
TAIL = 0.005  # how often fewer runs may leave the bounds by luck, if the truth is at their very edge


@dataclass(frozen=True)
class Figure:
    """A figure between two bounds, both included; None = no bound on that side."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    shown: str = "{:.4f}"
    stated: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether the figure is within its bounds."""
        return (self.low is None or self.value >= self.low) and (self.high is None or self.value <= self.high)

    def __str__(self) -> str:
        low = "" if self.low is None else self.shown.format(self.low)
        high = "" if self.high is None else self.shown.format(self.high)
        verdict = "PASS" if self.is_kept else "FAIL"
        return f"{self.name:<86}{self.shown.format(self.value):>9}  {low + ' .. ' + high:<20}{verdict}  {self.stated}"


def share(name: str, hits: int, runs: int, low: float | None = None, high: float | None = None) -> Figure:
    """Return the share of runs that hit, held against bounds of what the share truly is.

    With fewer than ``STRICT_RUNS`` runs the bounds are widened by what luck does in so many: a count
    is refused only if the true share would have to be outside, in all but ``TAIL`` of the cases.
    """
    stated = f"stated {_percent(low)} .. {_percent(high)}, {runs} runs"
    if runs < STRICT_RUNS:
        low = None if low is None else float(binom.ppf(TAIL, runs, low)) / runs
        high = None if high is None else float(binom.ppf(1 - TAIL, runs, high)) / runs
    return Figure(name, round(100 * hits / runs, 6), _hundred(low), _hundred(high), "{:.2f}%", stated)


def _hundred(bound: float | None) -> float | None:
    return None if bound is None else round(100 * bound, 6)


def _percent(bound: float | None) -> str:
    return "" if bound is None else f"{100 * bound:g}%"
