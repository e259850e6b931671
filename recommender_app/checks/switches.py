"""Mistakes in the switches that operators set (ENABLE_*, *_MODEL_PATH, ENSEMBLE_*_WEIGHT)."""

from __future__ import annotations

from pathlib import Path

from django.core.checks import CheckMessage

from recommender_app import conf
from recommender_app.artifacts.pins import Pin, check_pin, parse_pin, pinnable
from recommender_app.checks.messages import closest, error
from recommender_app.checks.values import RULES
from recommender_app.environment import PATHS, WEIGHTS, ensemble_weights, is_weight
from recommender_app.exceptions import ArtifactError
from recommender_app.usecases.site import all_use_cases


def switch_problems() -> list[CheckMessage]:
    """Return what is wrong beyond the values themselves, which ``RULES`` look at."""
    return [*_weights(), *_pins()]


def _weights() -> list[CheckMessage]:
    written = [getattr(conf.settings, name) for name in WEIGHTS]
    if not any(is_weight(weight) for weight in written) or ensemble_weights(*written) is not None:
        return []
    hint = "Give one of them a weight above 0, or switch the ensemble off: ENABLE_ENSEMBLE=false."
    return [error(8, conf.SETTING, f"{' and '.join(WEIGHTS)} are both 0.", hint)]


def _pins() -> list[CheckMessage]:
    if not RULES["ARTIFACT_ROOT"].is_kept(conf.settings.ARTIFACT_ROOT):
        return []
    return [problem for name, engine in PATHS.items() for problem in _pin(name, engine)]


def _pin(name: str, engine: str) -> list[CheckMessage]:
    written, root = getattr(conf.settings, name), conf.settings.artifact_root
    if not written or not RULES[name].is_kept(written):
        return []
    try:
        pin = parse_pin(root, engine, written)
        check_pin(root, pin)
    except (ArtifactError, ValueError) as problem:  # ValueError: a null byte
        return [error(9, conf.SETTING, f"{name} is {str(written)!r}: {problem}", _folder_to_use(root, name, engine))]
    return _undeclared(name, pin)


def _undeclared(name: str, pin: Pin) -> list[CheckMessage]:
    known = [use_case.key for use_case in all_use_cases()]
    if pin.use_case in known:
        return []
    message = f"{name} pins an artifact of {pin.use_case!r}, which is no use case."
    return [error(9, conf.SETTING, message, closest(pin.use_case, known))]


def _folder_to_use(root: Path, name: str, engine: str) -> str:
    found = pinnable(root, engine)
    if found:
        return f"Name an artifact folder: {name}={found[0]}"
    train = f"manage.py recommender_train --engine {engine}"
    return f"Train one ({train}), then name its folder: {name}=models/<use case>/{engine}/{engine}_v1"
