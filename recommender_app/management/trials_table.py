"""What a search has found, as a table and a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recommender_app.evaluation.report import text_table
from recommender_app.training.tuning_trials import Outcome, Trial, TuningResult, ranked

N_SHOWN = 10


def result_text(result: TuningResult) -> str:
    """Return the best trials, the default among them, and what they were measured on."""
    shown = ranked(result.trials)[:N_SHOWN]
    if result.default not in shown:
        shown.append(result.default)
    header = ("trial", result.metric, "against default", "seconds", "options")
    table = text_table(header, [_row(trial, result.default) for trial in shown])
    return f"{table}\n{result.protocol}\n{_counts(result)}"


def set_options(options: Mapping[str, Any], prefix: str = "") -> str:
    """Return options as a command line has them; "" for none."""
    return " ".join(f"--set {prefix}{name}={'none' if value is None else value}" for name, value in options.items())


def best_line(result: TuningResult) -> str:
    """Return how much was gained."""
    best, default = result.best, result.default
    if best == default:
        return f"Nothing is better than the default options: {result.metric} {_shown(default.value)} on validation."
    gain = _gain(best, default)
    return (
        f"Best: trial {best.name}, {result.metric} {_shown(best.value)} on validation, "
        f"default {_shown(default.value)}{f' ({gain})' if gain else ''}."
    )


def _row(trial: Trial, default: Trial) -> tuple[str, ...]:
    options = ", ".join(f"{name}={value}" for name, value in trial.options.items()) or "-"
    return (trial.name, _shown(trial.value), _gain(trial, default) or "-", f"{trial.seconds:.1f}", options)


def _gain(trial: Trial, default: Trial) -> str:
    if not default.value or trial == default:
        return ""
    return f"{(trial.value or 0.0) / default.value - 1:+.1%}"


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _counts(result: TuningResult) -> str:
    counts = {outcome: sum(trial.outcome == outcome for trial in result.trials) for outcome in Outcome}
    known = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    notes = [
        f"{result.n_resumed} of them from before" if result.n_resumed else "",
        "stopped by Ctrl-C" if result.was_interrupted else "",
        "stopped because nothing new was drawn" if result.is_exhausted else "",
    ]
    return "; ".join([f"{len(result.trials)} trials: {known}, seed {result.seed}", *filter(None, notes)]) + "."
