"""What a training command was asked for, and how it tells what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from recommender_app.evaluation.report import metric_table
from recommender_app.exceptions import ConfigurationError
from recommender_app.training.run import TrainedModel
from recommender_app.training.trainers import build_config, load_trainer, trainer_keys

ALL = "all"
QUICK_ENGINES = ("popular", "trending", "als", "content_based")  # a whole fallback chain, trained in seconds


def quick_engines() -> list[str]:
    """Return the engines that ``recommender_train`` trains if none is named; all where a host has others."""
    return [engine for engine in QUICK_ENGINES if engine in trainer_keys()] or trainer_keys()


def chosen_engines(asked: Sequence[str] | str | None) -> list[str]:
    """Return the asked engines; every one that can be trained for "all" or for nothing.

    Raises:
        ConfigurationError: one of them has no trainer.
    """
    known = trainer_keys()
    engines = [asked] if isinstance(asked, str) else list(dict.fromkeys(asked or [ALL]))
    if engines == [ALL]:
        return known
    for engine in engines:
        if engine not in known:
            raise ConfigurationError(f"There is no trainer for {engine!r}: choose from {', '.join(known)}.")
    return engines


def parse_overrides(pairs: Sequence[str]) -> dict[str, str]:
    """Return {option: value} of ``["factors=128", ...]``.

    Raises:
        ConfigurationError: a pair is not of that form.
    """
    overrides = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name.strip() or not equals:
            raise ConfigurationError(f"--set {pair}: write name=value, such as --set factors=128.")
        overrides[name.strip()] = value.strip()
    return overrides


def check_options(engines: Sequence[str], overrides: dict[str, str], preset: str | None) -> None:
    """Find a wrong option before anything is exported.

    Raises:
        ConfigurationError: options that no engine, or several, are meant by.
    """
    if not overrides and preset is None:
        return
    if len(engines) != 1:
        raise ConfigurationError("--set and --preset belong to one engine: name it, such as --engine als.")
    build_config(load_trainer(engines[0]), overrides, preset)


def closing_table(trained: Sequence[TrainedModel]) -> str:
    """Return the metrics of new versions of one use case beside popularity, and notes where there are none."""
    measured = [model.evaluation for model in trained if model.evaluation]
    lines = [f"{model.version.name}: {model.version.metrics['note']}" for model in trained if not model.evaluation]
    if measured:  # same dataset, split and users: one table
        rows = {name: metrics for evaluation in measured for name, metrics in evaluation.engines.items()}
        lines.append(metric_table(replace(measured[0], engines=rows)))
    return "\n".join(lines)
