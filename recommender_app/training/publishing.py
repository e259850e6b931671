"""From a trained engine to a registered version, or to nothing at all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import numpy as np
from django.db import close_old_connections

from recommender_app.artifacts.opening import read_manifest
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.dataset.dataset import Dataset
from recommender_app.engines.base import Engine
from recommender_app.exceptions import TrainingError
from recommender_app.models import ModelVersion, TrainingRun
from recommender_app.registry import storage
from recommender_app.registry.database import atomic
from recommender_app.registry.runs import finish_run
from recommender_app.registry.tombstones import unsettle
from recommender_app.registry.verdicts import record_verdict
from recommender_app.registry.versions import next_number, register_version
from recommender_app.training.fitted_beside import fitted_beside
from recommender_app.training.indexing import index_for
from recommender_app.training.library_versions import library_versions
from recommender_app.training.verdict import Verdict


def publish(
    run: TrainingRun,
    engine: Engine,
    dataset: Dataset,
    metrics: dict[str, Any],
    verdict: Verdict | None = None,
    data_read_at: datetime | None = None,
    beside: Mapping[str, str] | None = None,
    ends_run: bool = True,
) -> ModelVersion:
    """Write the artifact and register it as what its verdict makes of it.

    A run that nobody promotes ends here, as SUCCEEDED. One that was asked for, or whose version is
    to be promoted, goes on: it ends when what it has published is live, or turned down, so that
    what a process that dies in between has left is finished, or settled.

    Args:
        verdict: of the gate; None leaves a candidate that nobody has judged.
        data_read_at: before the dataset was read, by the database's clock; None = not known.
        beside: see ``fitted_beside``.
        ends_run: nobody promotes it within the same run, unless that was asked for.

    Where ARTIFACT_STORAGE does not take it, the version is kept here, and cannot be promoted before it is stored.

    Raises:
        TrainingError: the engine holds NaN or infinity.
        ArtifactError: the disk refuses.
        RegistryError: the run lost its lease. Nothing is left behind in any of these cases.
    """
    check_finite(engine)
    close_old_connections()  # the server may have dropped one that was idle during hours of learning
    store = ArtifactStore(settings.artifact_root)
    number = next_number(run.use_case, run.engine, store.versions(run.use_case, run.engine))
    name = f"{run.engine}_v{number}"
    provenance: dict[str, Any] = {
        "metrics": metrics,
        "config": run.config | fitted_beside(run, engine, dataset.fingerprint, beside),
        "seed": run.seed,
        "library_versions": library_versions(),
        "dataset_fingerprint": dataset.fingerprint,
    }
    index = index_for(engine, dataset, run.seed)
    folder = store.publish(
        run.use_case, name, engine, dataset.items, data_as_of=dataset.as_of, index=index, **provenance
    )
    with ExitStack() as undo:
        undo.callback(store.delete, run.use_case, run.engine, name)  # whatever happens: no folder without a row
        with atomic():
            size = read_manifest(folder).size_bytes
            version = register_version(run, number=number, size_bytes=size, data_read_at=data_read_at, **provenance)
            unsettle(since=data_read_at or run.started_at)
            if verdict is not None:
                record_verdict(version, verdict.to_json(), by=run.requested_by)
            if ends_run and run.requested_at is None:
                finish_run(run, TrainingRun.Status.SUCCEEDED)
        undo.pop_all()
    storage.store(run.use_case, run.engine, name)
    return version


def check_finite(engine: Engine) -> None:
    """Raise TrainingError if an array of the engine holds NaN or infinity."""
    for name, array in engine.state().items():
        if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
            raise TrainingError(
                f"{engine.key} has learned NaN or infinity ({name}): look for extreme weights in the dataset, "
                "or train with stronger regularization."
            )
