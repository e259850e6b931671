"""Mistakes in ``settings.RECOMMENDER``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage

from recommender_app import conf
from recommender_app.checks.messages import closest, error, warning
from recommender_app.checks.values import RULES
from recommender_app.engines.catalog import engine_keys


def settings_problems() -> list[CheckMessage]:
    """Return everything that is wrong with the settings."""
    return [*_shape(), *_unknown_keys(), *_values(), *_orders(), *_engines(), *_public_folders(), *_time_zones()]


def _shape() -> list[CheckMessage]:
    written = getattr(django_settings, conf.SETTING, {})
    if isinstance(written, dict):
        return []
    message = f"{conf.SETTING} is a {type(written).__name__}, not a dict."
    return [error(1, conf.SETTING, message, f'Write {conf.SETTING} = {{"ARTIFACT_ROOT": BASE_DIR / "ml_artifacts"}}.')]


def _unknown_keys() -> list[CheckMessage]:
    known = conf.DEFAULTS
    return [
        error(2, conf.SETTING, f"There is no setting {key!r}.", closest(str(key).upper(), known))
        for key in sorted(conf.configured(), key=str)
        if key not in known
    ]


def _values() -> list[CheckMessage]:
    return [
        error(3, conf.SETTING, f"{name} is {value!r}.", f"It must be {RULES[name].wanted}.")
        for name, value in sorted(conf.configured().items(), key=str)
        if name in RULES and not RULES[name].is_kept(value)
    ]


def _orders() -> list[CheckMessage]:
    pairs = [("COLD_START_THRESHOLD", "WARM_USER_THRESHOLD"), ("LIMIT_DEFAULT", "LIMIT_MAX")]
    if _value("LOG_RETENTION_DAYS") is not None:
        pairs.append(("FATIGUE_DAYS", "LOG_RETENTION_DAYS"))  # fatigue reads the log
    return [
        error(
            4, conf.SETTING, f"{low} is above {high}: {_value(low)} > {_value(high)}.", f"Lower {low} or raise {high}."
        )
        for low, high in pairs
        if _is_sound(low) and _is_sound(high) and _value(low) > _value(high)
    ]


def _engines() -> list[CheckMessage]:
    named = [(name, key) for name in ("TRAINERS", "TRAINING_SCHEDULE") if _is_sound(name) for key in _value(name)]
    return [
        error(
            5, conf.SETTING, f"{name} names the engine {key!r}, which nothing can serve.", closest(key, engine_keys())
        )
        for name, key in named
        if key not in engine_keys()
    ]


def _public_folders() -> list[CheckMessage]:
    folders = {}
    if _is_sound("ARTIFACT_ROOT"):
        folders["ARTIFACT_ROOT"] = conf.settings.artifact_root
    if _is_sound("SPOOL_DIR") and conf.settings.SPOOL_DIR:
        folders["SPOOL_DIR"] = Path(conf.settings.SPOOL_DIR).resolve()
    hint = "Move it elsewhere: web servers hand out what lies there."
    public = {name: getattr(django_settings, name, None) for name in ("MEDIA_ROOT", "STATIC_ROOT")}
    return [
        error(6, conf.SETTING, f"{setting} {root} lies in {name}.", hint)
        for setting, root in folders.items()
        for name, folder in public.items()
        if folder and root.is_relative_to(Path(folder).resolve())
    ]


def _time_zones() -> list[CheckMessage]:
    if django_settings.USE_TZ:
        return []
    hint = "Set USE_TZ = True; without it, ages are wrong by an hour around every change of the clocks."
    return [warning(7, "USE_TZ", "Times of interactions are stored without a time zone.", hint)]


def _value(name: str) -> Any:
    return conf.configured().get(name, conf.DEFAULTS[name])


def _is_sound(name: str) -> bool:
    return RULES[name].is_kept(_value(name))
