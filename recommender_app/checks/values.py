"""What each setting may be."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings as django_settings

from recommender_app.conf import DEFAULTS
from recommender_app.environment import is_switch, is_weight
from recommender_app.schedule import PERIODS
from recommender_app.usecases.rules import MOST_DAYS

_RATE = re.compile(r"[0-9]+/[smhd][a-z]*")
_DOTTED_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


@dataclass(frozen=True)
class Rule:
    """A test of a setting's value and the words for what it wants."""

    is_kept: Callable[[Any], bool]
    wanted: str


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _whole(least: int, most: int | None = None) -> Rule:
    def is_kept(value: Any) -> bool:
        is_integer = isinstance(value, int) and not isinstance(value, bool)
        return is_integer and value >= least and (most is None or value <= most)

    return Rule(is_kept, f"a whole number from {least}" + ("" if most is None else f" to {most}"))


def _is_pair(value: Any) -> bool:
    is_pair = isinstance(value, tuple | list) and len(value) == 2
    return is_pair and all(_whole(1).is_kept(number) for number in value) and value[0] <= value[1]


def _are_rates(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        scope in DEFAULTS["THROTTLE_RATES"] and (rate is None or (isinstance(rate, str) and _RATE.fullmatch(rate)))
        for scope, rate in value.items()
    )


def _are_trainers(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(key, str) and (path is None or (isinstance(path, str) and _DOTTED_PATH.fullmatch(path)))
        for key, path in value.items()
    )


def _is_schedule(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(key, str) and isinstance(period, str) and period in PERIODS for key, period in value.items()
    )


def _is_share(value: Any) -> bool:
    return is_number(value) and 0 <= value <= 1


_GATE: dict[str, Callable[[Any], bool]] = {
    "MIN_USERS": lambda value: _whole(1).is_kept(value),
    "POPULARITY_TOLERANCE": lambda value: value is None or _is_share(value),
    "MIN_PUSHERS": lambda value: value is None or _whole(2).is_kept(value),
    "MAX_SLOWDOWN": lambda value: is_number(value) and value >= 1,
}


def are_gate_limits(value: Any) -> bool:
    """Tell whether a value is a dict of some of the gate's limits."""
    return isinstance(value, Mapping) and all(
        name in DEFAULTS["GATE"] and _GATE.get(name, _is_share)(limit) for name, limit in value.items()
    )


GATE_WANTED = (
    f"a dict of limits from {', '.join(DEFAULTS['GATE'])}: shares from 0 to 1, MIN_USERS a whole number from 1, "
    "MIN_PUSHERS one from 2, MAX_SLOWDOWN from 1, POPULARITY_TOLERANCE and MIN_PUSHERS also None"
)


def _is_path(value: Any) -> bool:
    return value is None or (isinstance(value, str | os.PathLike) and str(value) != "")


def _is_cache(value: Any) -> bool:
    return isinstance(value, str) and value in django_settings.CACHES


def _is_secret(value: Any) -> bool:
    return value is None or (isinstance(value, str) and len(value) >= 32)


def _is_storage(value: Any) -> bool:
    is_named = isinstance(value, str) and (value in django_settings.STORAGES or _DOTTED_PATH.fullmatch(value))
    return value is None or bool(is_named)


_SWITCH = Rule(lambda value: value is None or is_switch(value), "true or false, or left out")
_WEIGHT = Rule(lambda value: value is None or is_weight(value), "a number from 0 to 1, or left out")
_PIN = Rule(_is_path, "an artifact folder's path, or left out")
_DAYS = Rule(lambda value: is_number(value) and 0 < value <= MOST_DAYS, f"a number of days above 0, up to {MOST_DAYS}")
_SCOPES = " and ".join(sorted(DEFAULTS["THROTTLE_RATES"]))

RULES: dict[str, Rule] = {
    "ARTIFACT_ROOT": Rule(_is_path, "a folder's path, or None"),
    "PRELOAD": Rule(lambda value: value is True or value is False or value == "auto", '"auto", True or False'),
    "LIMIT_DEFAULT": _whole(1),
    "LIMIT_MAX": _whole(1),
    "HISTORY_LIMIT": _whole(1),
    "DIRECT_SCORING_LIMIT": _whole(0),
    "OVERFETCH": Rule(_is_pair, "two whole numbers from 1, the larger one last"),
    "OVERLAY_SECONDS": Rule(lambda value: is_number(value) and value >= 0, "a number of seconds from 0"),
    "OVERLAY_MAX_ITEMS": _whole(1),
    "EXPLANATIONS": Rule(lambda value: isinstance(value, bool), "True or False"),
    "RELOAD_SECONDS": Rule(lambda value: is_number(value) and value >= 0, "a number of seconds from 0"),
    "BUDGET_MS": Rule(lambda value: is_number(value) and value > 0, "a number of milliseconds above 0"),
    "BREAKER_ERRORS": _whole(1),
    "BREAKER_WINDOW_SECONDS": Rule(lambda value: is_number(value) and value > 0, "a number of seconds above 0"),
    "BREAKER_OPEN_SECONDS": Rule(lambda value: is_number(value) and value > 0, "a number of seconds above 0"),
    "FATIGUE_DAYS": _DAYS,
    "NEW_ITEM_DAYS": _DAYS,
    "PAGE_SLATE": _whole(1, 100),
    "CURSOR_SECONDS": Rule(lambda value: is_number(value) and value > 0, "a number of seconds above 0"),
    "SLATE_CACHE_SECONDS": Rule(lambda value: is_number(value) and value >= 0, "a number of seconds from 0"),
    "SLATE_CACHE": Rule(_is_cache, "an alias in CACHES"),
    "THROTTLE_RATES": Rule(_are_rates, f'a dict from {_SCOPES} to a rate like "120/min", or None for no limit'),
    "COLD_START_THRESHOLD": _whole(0),
    "WARM_USER_THRESHOLD": _whole(0),
    "ENABLE_ALS": _SWITCH,
    "ENABLE_TWO_TOWER": _SWITCH,
    "ENABLE_ENSEMBLE": _SWITCH,
    "ALS_MODEL_PATH": _PIN,
    "TWO_TOWER_MODEL_PATH": _PIN,
    "ENSEMBLE_ALS_WEIGHT": _WEIGHT,
    "ENSEMBLE_TWO_TOWER_WEIGHT": _WEIGHT,
    "SEED": _whole(0, 2**32 - 1),
    "MIN_USERS": _whole(1),
    "MIN_ITEMS": _whole(1),
    "MIN_INTERACTIONS": _whole(1),
    "MIN_ACCOUNT_AGE_DAYS": Rule(lambda value: is_number(value) and 0 <= value <= MOST_DAYS, "a number of days from 0"),
    "MIN_DISTINCT_ITEMS": _whole(1),
    "MAX_EVENTS_PER_USER_DAY": _whole(0),
    "TEST_FRACTION": Rule(lambda value: is_number(value) and 0 < value < 1, "a number between 0 and 1"),
    "N_THREADS": _whole(0),
    "GATE": Rule(are_gate_limits, GATE_WANTED),
    "LEASE_SECONDS": Rule(lambda value: is_number(value) and value > 0, "a number of seconds above 0"),
    "QUEUE_SECONDS": Rule(lambda value: is_number(value) and value > 0, "a number of seconds above 0"),
    "WAITING_ALERT_SECONDS": Rule(lambda value: is_number(value) and value > 0, "a number of seconds above 0"),
    "TRAINING_SCHEDULE": Rule(_is_schedule, f"a dict from engine keys to one of {', '.join(PERIODS)}"),
    "KEEP_VERSIONS": _whole(1),
    "KEEP_DATASETS": _whole(1),
    "PRIVACY_KEY": Rule(_is_secret, "a secret of at least 32 characters, or None"),
    "FORGOTTEN_VERSIONS_DAYS": _whole(0, 30),
    "LOG_WRITER": Rule(lambda value: value in ("database", "spool"), '"database" or "spool"'),
    "LOG_RETENTION_DAYS": Rule(
        lambda value: value is None or _DAYS.is_kept(value), f"{_DAYS.wanted}, or None for ever"
    ),
    "EVENT_RETENTION_DAYS": Rule(  # clients send an event again for seven days: until then its id must be known
        lambda value: value is None or (_DAYS.is_kept(value) and value >= 8),
        "a number of days from 8, or None for ever",
    ),
    "SPOOL_DIR": Rule(_is_path, "a folder's path, or None"),
    "SPOOL_MAX_MB": Rule(lambda value: is_number(value) and value > 0, "a number of megabytes above 0"),
    "SPOOL_FSYNC": Rule(lambda value: isinstance(value, bool), "True or False"),
    "SPOOL_REJECTED_DAYS": _DAYS,
    "ARTIFACT_STORAGE": Rule(_is_storage, "an alias in STORAGES, the dotted path of a Django storage, or None"),
    "INDEX_MIN_ITEMS": _whole(1),
    "INDEX_RECALL": Rule(lambda value: is_number(value) and 0 < value <= 1, "a number above 0, up to 1"),
    "TRAINERS": Rule(_are_trainers, "a dict from engine keys to dotted paths of trainer classes, or None for none"),
}
