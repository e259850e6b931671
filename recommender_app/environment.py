"""Switches that an operator sets in the environment, as keys of ``RECOMMENDER``.

The app never reads ``os.environ`` itself. A host whose operators want the switches writes in its
settings ``RECOMMENDER = {**environment_switches(os.environ), ...}``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

SWITCHES = {"ENABLE_ALS": "als", "ENABLE_TWO_TOWER": "two_tower", "ENABLE_ENSEMBLE": "ensemble"}
PATHS = {"ALS_MODEL_PATH": "als", "TWO_TOWER_MODEL_PATH": "two_tower"}
WEIGHTS = {"ENSEMBLE_ALS_WEIGHT": "als", "ENSEMBLE_TWO_TOWER_WEIGHT": "two_tower"}
_TRUE = ("true", "1", "yes", "y", "on")
_FALSE = ("false", "0", "no", "n", "off")
_BOOLEANS = dict.fromkeys(_TRUE, True) | dict.fromkeys(_FALSE, False)


def environment_switches(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return those of the switches that are set and not blank, parsed.

    Nothing raises while settings are imported: text that means nothing stays as it is, is refused
    by ``manage.py check``, which names the variable, and counts as not set while serving.
    """
    written = {name: environ.get(name, "").strip() for name in (*SWITCHES, *PATHS, *WEIGHTS)}
    return {name: _parsed(name, text) for name, text in written.items() if text}


def is_switch(value: Any) -> bool:
    """Tell whether a value is a switch that is set."""
    return value is True or value is False


def is_weight(value: Any) -> bool:
    """Tell whether a value is a weight that is set: a number from 0 to 1."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and 0 <= value <= 1


def ensemble_weights(als: Any, two_tower: Any) -> dict[str, float] | None:
    """Return the two weights, summing to one; one alone implies the other; None if neither counts."""
    has_first, has_second = is_weight(als), is_weight(two_tower)
    if not has_first and not has_second:
        return None
    first = als if has_first else 1 - two_tower
    second = two_tower if has_second else 1 - als
    total = first + second
    return {"als": first / total, "two_tower": second / total} if total > 0 else None


def _parsed(name: str, text: str) -> Any:
    if name in SWITCHES:
        return _BOOLEANS.get(text.lower(), text)
    if name in WEIGHTS:
        try:
            return float(text)
        except ValueError:
            return text
    return text
