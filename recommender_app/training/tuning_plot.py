"""The plot of a search. matplotlib is imported when it is drawn, in training processes only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from recommender_app.evaluation.plots import FAINT, INK, STYLE
from recommender_app.exceptions import ConfigurationError
from recommender_app.training.tuning_trials import Outcome, Trial, TuningResult

BEST, MEASURED, PRUNED = "#08306b", "#4292c6", "#bbbbbb"
FORMATS = (".svg", ".png", ".pdf")


def check_plot_path(path: Path) -> None:
    """Raise ConfigurationError if matplotlib could not write there."""
    if path.suffix.lower() not in FORMATS:
        raise ConfigurationError(f"--plot {path}: the name must end in {', '.join(FORMATS)}.")


def draw_trials(result: TuningResult, path: Path) -> None:
    """Write value over trial, the best so far as a line, the default as another.

    Raises:
        ConfigurationError: matplotlib is missing, or the file cannot be written.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigurationError("Plots need matplotlib: pip install 'django-recommender-app[train]'.") from None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.4, 4.2), layout="constrained")
        _draw(figure.subplots(), result)
        try:
            figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
        except OSError as error:
            raise ConfigurationError(f"Cannot write {path}: {error.strerror}.") from error


def _draw(panel: Any, result: TuningResult) -> None:
    measured = [trial for trial in result.trials if trial.outcome == Outcome.MEASURED]
    numbers, values = [trial.number for trial in measured], [trial.value or 0.0 for trial in measured]
    panel.axhline(result.default.value, color=INK, linewidth=1, linestyle=":", label="default options")
    panel.step(numbers, np.maximum.accumulate(values), where="post", color=BEST, linewidth=1.8, label="best so far")
    panel.plot(numbers, values, "o", color=MEASURED, markersize=5, label="measured")
    _mark_pruned(panel, result.trials)
    best = result.best
    panel.plot(best.number, best.value, "*", color=BEST, markersize=14, label=f"best: trial {best.name}")
    panel.set_xlabel("trial")
    panel.set_ylabel(f"{result.metric} on validation")
    panel.set_title(f"{result.engine}: {len(result.trials)} trials")
    panel.xaxis.get_major_locator().set_params(integer=True)
    panel.grid(axis="y", color=FAINT, linewidth=0.6)
    panel.set_axisbelow(True)
    panel.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)


def _mark_pruned(panel: Any, trials: tuple[Trial, ...]) -> None:
    """Mark what was given up; its values are those of half-learned engines."""
    pruned = [trial for trial in trials if trial.outcome == Outcome.PRUNED]
    if pruned:
        panel.plot(
            [trial.number for trial in pruned],
            [trial.value for trial in pruned],
            "x",
            color=PRUNED,
            markersize=6,
            label="given up on the way",
        )
