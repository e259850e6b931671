"""One settings dict, ``RECOMMENDER``, over documented defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from recommender_app.environment import environment_switches as environment_switches

SETTING = "RECOMMENDER"

DEFAULTS: dict[str, Any] = {
    # Where datasets and models live; a folder that web and training processes both see.
    "ARTIFACT_ROOT": None,  # None = <BASE_DIR>/ml_artifacts, else <working directory>/ml_artifacts
    # Load the live models in AppConfig.ready(): "auto" = in processes that serve, True, False.
    "PRELOAD": "auto",
    # Requests
    "LIMIT_DEFAULT": 10,
    "LIMIT_MAX": 100,
    "HISTORY_LIMIT": 500,  # most recent interactions read per request
    "OVERFETCH": (4, 20),  # proposals per asked item, first and second try
    "DIRECT_SCORING_LIMIT": 20_000,  # eligible items scored one by one where OVERFETCH finds too few, 0 = never
    "OVERLAY_SECONDS": 5.0,  # how often a process looks for new and changed items
    "OVERLAY_MAX_ITEMS": 5_000,  # the newest so many of them are served before the next training
    "EXPLANATIONS": True,  # say with each result why it is there
    "RELOAD_SECONDS": 5.0,  # how often a process looks for a new release
    "BUDGET_MS": 200,  # time budget of a request; an engine that lately cost more than what is left is skipped
    "BREAKER_ERRORS": 5,  # an engine that fails so often
    "BREAKER_WINDOW_SECONDS": 30.0,  # within so many seconds
    "BREAKER_OPEN_SECONDS": 30.0,  # is left alone for so many, then tried once
    "PAGE_SLATE": 100,  # places that a first page with cursor=first fixes, 1..100
    "CURSOR_SECONDS": 3600.0,  # how long a cursor is good
    "SLATE_CACHE_SECONDS": 0.0,  # how long proposals for an unchanged user may be reused, 0 = no cache
    "SLATE_CACHE": "default",  # alias in CACHES
    "FATIGUE_DAYS": 14.0,  # for how long a showing of an item counts for fatigue
    "NEW_ITEM_DAYS": 30.0,  # how old an item may be that exploration shows
    "THROTTLE_RATES": {
        "recommendations": "120/min",
        "anonymous_recommendations": "60/min",
        "events": "240/min",
        "anonymous_events": "60/min",
        "schema": "60/min",
        "health": "60/min",
        "metrics": "60/min",
        "experiments": "60/min",
    },
    # Routing: COLD_START_THRESHOLD and WARM_USER_THRESHOLD are interaction counts.
    "COLD_START_THRESHOLD": 5,
    "WARM_USER_THRESHOLD": 20,
    # Switches of the environment, see ``environment_switches``; None = not set, so that the admin decides.
    "ENABLE_ALS": None,
    "ENABLE_TWO_TOWER": None,
    "ENABLE_ENSEMBLE": None,
    "ALS_MODEL_PATH": None,  # artifact folder below ARTIFACT_ROOT that serves instead of the release's
    "TWO_TOWER_MODEL_PATH": None,
    "ENSEMBLE_ALS_WEIGHT": None,  # 0..1; one alone implies the other
    "ENSEMBLE_TWO_TOWER_WEIGHT": None,
    # Training
    "SEED": 42,
    "MIN_USERS": 10,
    "MIN_ITEMS": 10,
    "MIN_INTERACTIONS": 100,
    "MIN_ACCOUNT_AGE_DAYS": 1.0,  # younger users do not teach, where the use case declares joined_at; 0 = all do
    "MIN_DISTINCT_ITEMS": 1,  # users who have met fewer different items do not teach
    "MAX_EVENTS_PER_USER_DAY": 200,  # so many interactions of a user and day teach, 0 = all
    "TEST_FRACTION": 0.2,  # newest part of the interactions held out to measure a version
    "N_THREADS": 0,  # training threads, 0 = all cores
    # What the gate asks of a new version; a use case's ``gate`` counts more, key by key. See ``training.gate``.
    "GATE": {
        "MIN_USERS": 10,  # fewer hold-out users say nothing
        "LIVE_TOLERANCE": 0.0,  # share of the live version's ndcg@10 that may be lost significantly
        "POPULARITY_TOLERANCE": 0.0,  # the same beside popularity; None = not compared with it
        "MAX_RECALL_DROP": 0.2,  # share of the live version's recall@10
        "MIN_COVERAGE": 0.5,  # share of the live version's coverage
        "MIN_SIZE": 0.5,  # share of the users, items and interactions that the live version has learned from
        "MIN_JACCARD": 0.5,  # of the twenty most popular items, then and now
        "MIN_PUSHERS": 20,  # accounts that met an item in a day and hardly anything else; None = not looked for
        "MAX_SLOWDOWN": 1.5,  # times the live version's time for one user
    },
    "LEASE_SECONDS": 300.0,  # a training that gives no sign of life for so long is presumed dead
    "QUEUE_SECONDS": 3600.0,  # how long a message to the training workers is trusted to arrive; then it is sent again
    "WAITING_ALERT_SECONDS": 1800.0,  # health is degraded when a run waits so long and no training worker is seen
    # How often each engine is trained by Celery beat or recommender_work: hourly, daily, weekly, monthly (in UTC).
    # The ensemble is fitted again after any of its members.
    "TRAINING_SCHEDULE": {
        "popular": "daily",
        "trending": "daily",
        "content_based": "daily",
        "als": "weekly",
        "item_knn": "weekly",
        "item_graph": "weekly",
        "two_tower": "monthly",
    },
    # What is kept besides the live release and the one before it, see ``training.retention``
    "KEEP_VERSIONS": 3,  # newest versions per use case and engine
    "KEEP_DATASETS": 2,  # newest exported datasets per use case
    # Forgotten users, see ``privacy``
    "PRIVACY_KEY": None,  # secret that tombstones are hashed with; None = SECRET_KEY
    "FORGOTTEN_VERSIONS_DAYS": 30,  # after so many days, what was trained with their data is gone, superseded or not
    # The request log: where rows go ("database", "spool"), and where those that the database refuses wait for it
    "LOG_WRITER": "database",  # "spool" = into files first, from where recommender_drain takes them
    "LOG_RETENTION_DAYS": 90,  # rows that are older are deleted, None = never
    "EVENT_RETENTION_DAYS": 365,  # posted events that were received earlier are deleted, None = never
    "SPOOL_DIR": None,  # None = <ARTIFACT_ROOT>/spool; web processes write it, whoever drains reads it
    "SPOOL_MAX_MB": 512,  # what the folder may hold; rows beyond that are lost and counted
    "SPOOL_FSYNC": False,  # True = each row is flushed to the disk, so that it also outlives a power cut
    "SPOOL_REJECTED_DAYS": 30,  # how long lines are kept that no row can be made of
    # Where the artifacts of many hosts come from: an alias in STORAGES, or the dotted path of a Django storage.
    "ARTIFACT_STORAGE": None,  # None = every host sees the same ARTIFACT_ROOT
    "INDEX_MIN_ITEMS": 50_000,  # from so many items on, a version gets an approximate index of them
    "INDEX_RECALL": 0.98,  # share of the exact top 100 that an index must find; 1 = exact lists, slower
    # Engine key -> dotted path of its trainer, resolved at training time only; what a host writes is laid over these
    # engine by engine, and None takes one away.
    "TRAINERS": {
        "popular": "recommender_app.trainers.popularity.PopularityTrainer",
        "trending": "recommender_app.trainers.popularity.TrendingTrainer",
        "als": "recommender_app.trainers.als.ALSTrainer",
        "item_knn": "recommender_app.trainers.item_knn.ItemKNNTrainer",
        "content_based": "recommender_app.trainers.content.ContentTrainer",
        "two_tower": "recommender_app.trainers.two_tower.TwoTowerTrainer",
        "item_graph": "recommender_app.trainers.item_graph.ItemGraphTrainer",
        "ensemble": "recommender_app.trainers.ensemble.EnsembleTrainer",
    },
}


class RecommenderSettings:
    """Attribute access to ``settings.RECOMMENDER`` over ``DEFAULTS``."""

    def __getattr__(self, name: str) -> Any:
        if name not in DEFAULTS:
            raise AttributeError(f"There is no recommender setting {name}: choose from {', '.join(sorted(DEFAULTS))}.")
        return configured().get(name, DEFAULTS[name])

    @property
    def trainers(self) -> dict[str, str]:
        """{engine key: dotted path} of what can be trained: the defaults, over them what the host wrote."""
        merged = {**DEFAULTS["TRAINERS"], **configured().get("TRAINERS", {})}
        return {engine: path for engine, path in merged.items() if path is not None}

    @property
    def artifact_root(self) -> Path:
        """Folder of datasets, models and LIVE hints."""
        root = self.ARTIFACT_ROOT
        if root is None:
            root = Path(getattr(django_settings, "BASE_DIR", ".")) / "ml_artifacts"
        return Path(root).resolve()


def configured() -> dict[str, Any]:
    """Return what the host wrote; a value that is no dict is left to the system checks."""
    values = getattr(django_settings, SETTING, None)
    return values if isinstance(values, dict) else {}


def unknown_keys() -> list[str]:
    """Return the host's keys that mean nothing here."""
    return sorted(set(configured()) - set(DEFAULTS))


settings = RecommenderSettings()


@receiver(setting_changed, dispatch_uid="recommender_settings_changed")
def _forget_loaded_models(*, setting: str, **_kwargs: Any) -> None:
    """Tests that override ``RECOMMENDER`` must not keep models of another root."""
    if setting == SETTING:
        for forget in on_reload:
            forget()


on_reload: list[Any] = []  # callables that drop state derived from the settings
