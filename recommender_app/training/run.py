"""One training run, from the host's tables to a candidate version, or to nothing at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.dataset.dataset import Dataset
from recommender_app.dataset.folder import read_dataset
from recommender_app.dataset.manifest import read_manifest
from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.exceptions import DatasetError, TrainingError
from recommender_app.models import ModelVersion, Release, TrainingRun
from recommender_app.registry import releases
from recommender_app.registry.runs import record_dataset, start_run
from recommender_app.trainers.base import Progress, Trainer, TrainerConfig, require_data, silent
from recommender_app.training.export import export_dataset
from recommender_app.training.measuring import measure
from recommender_app.training.publishing import publish
from recommender_app.training.recording import RecordedRun
from recommender_app.training.stages import stage
from recommender_app.training.trainers import build_config, load_trainer
from recommender_app.usecases.declaration import UseCase


@dataclass(frozen=True)
class TrainedModel:
    """What a run left behind.

    Attributes:
        run, version: the rows.
        release: the release that it went live in, None if it was not promoted.
        evaluation: None where the data were too thin; ``version.metrics["note"]`` says why.
        dataset_path: the folder it has learned from.
    """

    run: TrainingRun
    version: ModelVersion
    release: Release | None
    evaluation: Evaluation | None
    dataset_path: Path


def train_model(
    use_case: UseCase,
    engine_key: str,
    *,
    dataset_path: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    preset: str | None = None,
    seed: int | None = None,
    promote: bool = False,
    by: str = "command",
    progress: Progress = silent,
) -> TrainedModel:
    """Export, measure beside popularity, train on everything, publish, register; promote if asked.

    Args:
        dataset_path: an exported folder to learn from; a fresh export if None.
        overrides, preset: see ``trainers.build_config``.
        seed: the setting SEED if None; recorded with run and version.
        by: who asked, for the run and the release.

    Raises:
        ConfigurationError: an unknown engine or option; no run is started.
        RegistryError: the engine is being trained already, or the version cannot be promoted
            (it stays a candidate).
        NotEnoughData: fewer users, items or interactions than the settings MIN_* ask for.
        RecommenderError: whatever else went wrong. The run's row says why, nothing is left
            behind, what is live stays live.
    """
    trainer = load_trainer(engine_key)
    config = build_config(trainer, overrides or {}, preset)
    seed = settings.SEED if seed is None else seed
    run = start_run(use_case.key, engine_key, config=config.to_json(), seed=seed, requested_by=by)
    with RecordedRun(run):
        ArtifactStore(settings.artifact_root).check_writable(use_case.key, engine_key)
        path = export_dataset(use_case, progress=progress).path if dataset_path is None else Path(dataset_path)
        dataset = _read(path, use_case)
        record_dataset(run, dataset.fingerprint)
        require_data(dataset, settings.MIN_USERS, settings.MIN_ITEMS, settings.MIN_INTERACTIONS)
        version, evaluation = _learn(run, trainer, config, dataset, progress)
    release = releases.promote(version, by=by) if promote else None
    return TrainedModel(run, version, release, evaluation, path)


def _read(path: Path, use_case: UseCase) -> Dataset:
    made_for = read_manifest(path).get("use_case", use_case.key)
    if made_for != use_case.key:
        raise DatasetError(f"{path} is a dataset of {made_for}, not of {use_case.key}.")
    return read_dataset(path)


def _learn(
    run: TrainingRun, trainer: Trainer, config: TrainerConfig, dataset: Dataset, progress: Progress
) -> tuple[ModelVersion, Evaluation | None]:
    """Measure on a part, then train on everything with the very same configuration."""
    try:
        measurement = measure(dataset, run.engine, config, run.seed, progress)
        engine = trainer.train_for_release(dataset, config, run.seed, stage(progress, f"{run.engine} on everything"))
    except ImportError as error:
        raise TrainingError(
            f"The trainer of {run.engine} misses a library ({error}): pip install 'django-recommender-app[train]'."
        ) from error
    return publish(run, engine, dataset, measurement.to_json()), measurement.evaluation
