"""Mistakes in settings.RECOMMENDER."""

import os
from pathlib import Path

import pytest

from recommender_app.checks.settings import settings_problems
from recommender_app.checks.values import RULES
from recommender_app.conf import DEFAULTS
from tests.app.declarations import short_ids


def found(settings, **values) -> list[str]:
    settings.RECOMMENDER = values
    return short_ids(settings_problems())


def test_the_defaults_are_good(settings):
    del settings.RECOMMENDER
    assert settings_problems() == []
    assert found(settings, **DEFAULTS) == []


def test_every_setting_has_a_rule():
    assert RULES.keys() == DEFAULTS.keys()


@pytest.mark.parametrize("value", [None, [], "ml_artifacts", [("SEED", 1)]])
def test_something_that_is_no_dict(settings, value):
    settings.RECOMMENDER = value
    assert short_ids(settings_problems()) == ["E001"]


@pytest.mark.parametrize(
    ("key", "hint"),
    [("HISTORY_LIMITS", "Did you mean 'HISTORY_LIMIT'?"), ("seed", "Did you mean 'SEED'?"), (7, "Choose from")],
)
def test_an_unknown_key(settings, key, hint):
    settings.RECOMMENDER = {key: 1, "SEED": 1}
    (problem,) = settings_problems()
    assert problem.id == "recommender_app.E002"
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("ARTIFACT_ROOT", value) for value in (3, "", False, ["a"])],
        *[("PRELOAD", value) for value in ("yes", 1, None)],
        *[("LIMIT_MAX", value) for value in (0, -1, "100", 1.5, True, None)],
        *[("OVERFETCH", value) for value in (4, (4,), (4, 20, 30), (0, 4), (20, 4), ("4", "20"))],
        *[("RELOAD_SECONDS", value) for value in (-1, "5", float("nan"), float("inf"))],
        *[("BUDGET_MS", value) for value in (0, -200, "200", None, float("nan"))],
        *[("BREAKER_ERRORS", value) for value in (0, 2.5, "5")],
        *[("BREAKER_WINDOW_SECONDS", value) for value in (0, -1, "30")],
        *[("BREAKER_OPEN_SECONDS", value) for value in (0, float("inf"), True)],
        *[("MIN_ACCOUNT_AGE_DAYS", value) for value in (-1, "1", None, 36_501, float("nan"))],
        *[("MIN_DISTINCT_ITEMS", value) for value in (0, 1.5, None)],
        *[("MAX_EVENTS_PER_USER_DAY", value) for value in (-1, 1.5, None)],
        *[("GATE", value) for value in (None, [], {"MIN_RECALL": 0.5}, {"MIN_USERS": 0}, {"MAX_RECALL_DROP": 1.5})],
        *[("GATE", {"MAX_SLOWDOWN": value}) for value in (0.9, None, "2")],
        *[("FATIGUE_DAYS", value) for value in (0, 36_501, 10**400, float("inf"))],
        *[("NEW_ITEM_DAYS", value) for value in (-1, 10**6, "30", True)],
        *[("PAGE_SLATE", value) for value in (0, 101, "100")],
        *[("CURSOR_SECONDS", value) for value in (0, -1, "3600")],
        *[("SLATE_CACHE_SECONDS", value) for value in (-1, None, float("nan"))],
        *[("SLATE_CACHE", value) for value in ("nowhere", None)],
        *[("THROTTLE_RATES", value) for value in ("9/min", {"all": "9/min"}, {"schema": "9"}, {"schema": 9})],
        *[("SEED", value) for value in (-1, 2**32, "x")],
        *[("TEST_FRACTION", value) for value in (0, 1, -0.5, "0.2", float("nan"))],
        *[("PRIVACY_KEY", value) for value in ("", "short", 7, b"a" * 40)],
        *[("FORGOTTEN_VERSIONS_DAYS", value) for value in (-1, 31, 2.5, None)],
        *[("LOG_WRITER", value) for value in (None, "db", ["spool"])],
        *[("LOG_RETENTION_DAYS", value) for value in (0, -1, "90", float("nan"))],
        *[("EVENT_RETENTION_DAYS", value) for value in (7, True, "365", float("inf"))],
        *[("SPOOL_DIR", value) for value in ("", 3)],
        *[("SPOOL_MAX_MB", value) for value in (0, "512", None, float("inf"))],
        *[("SPOOL_FSYNC", value) for value in (None, 1, "yes")],
        *[("SPOOL_REJECTED_DAYS", value) for value in (0, None)],
        *[("N_THREADS", value) for value in (-1, 0.5)],
        *[("TRAINERS", value) for value in ([], {"als": "ALSTrainer"}, {"als": object}, {3: "a.b"}, {"als": "a..b"})],
    ],
)
def test_a_value_of_a_wrong_kind_or_size(settings, name, value):
    assert found(settings, **{name: value}) == ["E003"]


@pytest.mark.parametrize(
    "values",
    [
        {"ARTIFACT_ROOT": "models"},
        {"ARTIFACT_ROOT": Path("models")},
        {"PRELOAD": False},
        {"OVERFETCH": [1, 1]},
        {"RELOAD_SECONDS": 0},
        {"THROTTLE_RATES": {}},
        {"THROTTLE_RATES": {"recommendations": None, "schema": "10/second"}},
        {"COLD_START_THRESHOLD": 5, "WARM_USER_THRESHOLD": 5},
        {"TRAINERS": {}},
        {"TRAINERS": {"als": None}},
        {"LOG_WRITER": "spool", "SPOOL_DIR": "spool", "SPOOL_MAX_MB": 0.5, "SPOOL_FSYNC": True},
        {"LOG_RETENTION_DAYS": None},
        {"LOG_RETENTION_DAYS": 14},
        {"EVENT_RETENTION_DAYS": 8},
        {"EVENT_RETENTION_DAYS": None},
    ],
    ids=str,
)
def test_values_that_are_good(settings, values):
    assert found(settings, **values) == []


def test_a_path_of_another_library_is_a_path(settings):
    class Folder(os.PathLike):
        def __fspath__(self):
            return "models"

    assert found(settings, ARTIFACT_ROOT=Folder()) == []


@pytest.mark.parametrize(
    "values",
    [
        {"COLD_START_THRESHOLD": 21},
        {"WARM_USER_THRESHOLD": 4},
        {"COLD_START_THRESHOLD": 9, "WARM_USER_THRESHOLD": 8},
        {"LIMIT_DEFAULT": 101},
        {"LIMIT_MAX": 9},
        {"LOG_RETENTION_DAYS": 13},  # FATIGUE_DAYS is 14
    ],
    ids=str,
)
def test_values_that_contradict_each_other(settings, values):
    assert found(settings, **values) == ["E004"]


def test_a_trainer_for_an_engine_that_nothing_serves(settings):
    settings.RECOMMENDER = {"TRAINERS": {"alz": "host.trainers.Mine", "als": None}}
    (problem,) = settings_problems()
    assert problem.id == "recommender_app.E005"
    assert problem.hint == "Did you mean 'als'?"


@pytest.mark.parametrize("name", ["MEDIA_ROOT", "STATIC_ROOT"])
def test_artifacts_where_a_web_server_hands_them_out(settings, tmp_path, name):
    settings.MEDIA_ROOT, settings.STATIC_ROOT = "", None
    setattr(settings, name, str(tmp_path / "public"))

    assert found(settings, ARTIFACT_ROOT=tmp_path / "public" / "models") == ["E006"]
    assert found(settings, ARTIFACT_ROOT=tmp_path / "public") == ["E006"]
    assert found(settings, ARTIFACT_ROOT=tmp_path / "public" / ".." / "private") == []
    (tmp_path / "link").symlink_to(tmp_path / "public")
    assert found(settings, ARTIFACT_ROOT=tmp_path / "link" / "models") == ["E006"]


def test_a_spool_where_a_web_server_hands_it_out(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "public")
    assert found(settings, SPOOL_DIR=tmp_path / "public" / "spool") == ["E006"]
    assert found(settings, SPOOL_DIR=tmp_path / "private") == []


def test_times_without_a_zone(settings):
    assert found(settings) == []
    settings.USE_TZ = False
    assert found(settings) == ["W007"]


def test_several_mistakes_are_told_at_once(settings):
    assert found(settings, SEEDS=1, SEED=-1, COLD_START_THRESHOLD=30) == ["E002", "E003", "E004"]
