"""Options of several engines on one command line, and files that commands write."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recommender_app.exceptions import ConfigurationError
from recommender_app.management.training import parse_overrides
from recommender_app.training.trainers import build_config, load_trainer


def parse_engine_overrides(pairs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return {engine: {option: value}} of ``["als.factors=64", ...]``, checked against the engines' options.

    Raises:
        ConfigurationError: a pair is not of that form, or an unknown engine, option or value.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, value in parse_overrides(pairs).items():
        engine, dot, option = name.partition(".")
        if not dot or not option:
            raise ConfigurationError(f"--set {name}={value}: write engine.option=value, such as --set als.factors=64.")
        found.setdefault(engine, {})[option] = value
    for engine, options in found.items():
        build_config(load_trainer(engine), options)
    return found


def write_text(path: Path, text: str) -> None:
    """Write a report.

    Raises:
        ConfigurationError: the file cannot be written; the message says why.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"Cannot write {path}: {error.strerror}.") from error


def write_json(path: Path, values: Any) -> None:
    """Write JSON for people and programs; see ``write_text``."""
    write_text(path, json.dumps(values, indent=2) + "\n")


def check_writable(*paths: Path | None) -> None:
    """Find a folder that does not exist before hours of work are lost.

    Raises:
        ConfigurationError: the folder of a path does not exist.
    """
    for path in paths:
        if path is not None and not path.absolute().parent.is_dir():
            raise ConfigurationError(f"Cannot write {path}: No such file or directory.")
