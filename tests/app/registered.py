"""Versions in the registry with tiny real artifacts of the books use case."""

from __future__ import annotations

from uuid import UUID

import numpy as np
from django.db.models.functions import Now

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.dataset.ids import IdMap
from recommender_app.engines.popularity import PopularityEngine, TrendingEngine
from recommender_app.models import ModelVersion, Release, TrainingRun
from recommender_app.registry.runs import finish_run, start_run
from recommender_app.registry.versions import next_number, register_version

BOOKS = IdMap.from_values([UUID(int=number) for number in range(3)])
COUNTS = np.array([1, 3, 2], dtype=np.float32)
ENGINES = {"popular": PopularityEngine(COUNTS), "trending": TrendingEngine(COUNTS, 7.0)}


def start(engine: str = "popular") -> TrainingRun:
    """Start a run."""
    return start_run("books", engine, config={}, seed=1, requested_by="test")


def rested() -> None:
    """Let the pause before the next attempt pass, for all runs that rest."""
    TrainingRun.objects.filter(status=TrainingRun.Status.REQUESTED).update(lease_until=Now())


def register(run: TrainingRun, number: int, **values) -> ModelVersion:
    """Register a version of a run."""
    defaults = {"metrics": {}, "config": {}, "seed": 1, "library_versions": {}, "dataset_fingerprint": ""}
    return register_version(run, number=number, **{**defaults, "size_bytes": 12, **values})


def candidate(engine: str = "popular", **values) -> ModelVersion:
    """Publish and register the next version of an engine."""
    store, run = ArtifactStore(settings.artifact_root), start(engine)
    number = next_number("books", engine, store.versions("books", engine))
    store.publish("books", f"{engine}_v{number}", ENGINES[engine], BOOKS)
    version = register(run, number, **values)
    finish_run(run, TrainingRun.Status.SUCCEEDED)
    return version


def live_names() -> list[str]:
    """Return the names of what is live, by engine."""
    live = Release.objects.get(use_case="books", status="live")
    return [member.version.name for member in live.members.order_by("engine")]


def status_of(version: ModelVersion) -> str:
    """Return a version's status as the database has it."""
    return ModelVersion.objects.get(pk=version.pk).status
