"""One training run, from the host's tables to a candidate version, or to nothing at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.evaluation.evaluate import Evaluation
from recommender_app.exceptions import RegistryError, TrainingError
from recommender_app.models import ModelVersion, Release, TrainingRun
from recommender_app.registry import releases
from recommender_app.registry.runs import finish_run, record_dataset, start_run
from recommender_app.registry.storage import artifact_storage
from recommender_app.trainers.base import Progress, TrainerConfig, silent
from recommender_app.training.fitted_beside import why_held_back
from recommender_app.training.gate import judge
from recommender_app.training.publishing import publish
from recommender_app.training.recording import RecordedRun
from recommender_app.training.source import Source
from recommender_app.training.stages import stage
from recommender_app.training.trainers import load_trainer
from recommender_app.training.tuning_layer import choose_config
from recommender_app.training.verdict import Verdict
from recommender_app.usecases.declaration import UseCase


@dataclass(frozen=True)
class TrainedModel:
    """What a run left behind.

    Attributes:
        run, version: the rows.
        release: the release that it went live in, None if it was not promoted.
        evaluation: None where the data were too thin; ``version.metrics["note"]`` says why.
        dataset_path: the folder it has learned from.
        verdict: what the gate says.
    """

    run: TrainingRun
    version: ModelVersion
    release: Release | None
    evaluation: Evaluation | None
    dataset_path: Path
    verdict: Verdict


def train_model(
    use_case: UseCase,
    engine_key: str,
    *,
    dataset_path: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    preset: str | None = None,
    use_tuned: bool = True,
    seed: int | None = None,
    promote: bool = False,
    force: bool = False,
    by: str = "command",
    progress: Progress = silent,
) -> TrainedModel:
    """Export, judge, train on everything, publish, register; promote if asked and if the gate lets it through.

    Args:
        dataset_path: an exported folder to learn from; a fresh export if None.
        overrides, preset, use_tuned: see ``tuning_layer.choose_config``.
        seed: the setting SEED if None; recorded with run and version.
        promote: make it live if the gate says so.
        force: promote whatever the gate says; the trail tells.
        by: who asked, for the run and the release.

    A run that is to be promoted ends after that: what a process that is killed in between has
    published is turned down, as it is where a command is killed.

    Raises:
        ConfigurationError: an unknown engine or option; no run is started.
        RegistryError: the engine is being trained already, or the version cannot be promoted
            (it stays a candidate), as an ensemble without the members that it was fitted beside.
        NotEnoughData: fewer users, items or interactions than the settings MIN_* ask for.
        RecommenderError: whatever else went wrong. The run's row says why, nothing is left
            behind, what is live stays live.
    """
    chosen = choose_config(use_case.key, engine_key, overrides or {}, preset, use_tuned=use_tuned)
    source = Source(use_case, dataset_path, seed, progress)
    run = start_run(use_case.key, engine_key, config=chosen.to_json(), seed=source.seed, requested_by=by)
    if not promote:
        return train_version(run, chosen.config, source)
    with RecordedRun(run):
        trained = train_version(run, chosen.config, source, ends_run=False)
        release = _promoted(trained, by, force) if trained.verdict.passed or force else None
        finish_run(run, TrainingRun.Status.SUCCEEDED)
    return replace(trained, release=release)


def _promoted(trained: TrainedModel, by: str, force: bool) -> Release:
    version = trained.version
    if held_back := why_held_back(version, [version]):
        raise RegistryError(f"{version}: {held_back}")
    return releases.promote_all([version], by=by, force=force, only_newer=True, runs=[trained.run])


def train_version(
    run: TrainingRun,
    config: TrainerConfig,
    source: Source,
    beside: Mapping[str, str] | None = None,
    *,
    ends_run: bool = True,
) -> TrainedModel:
    """Carry out a running run: measure and judge on a part, train on everything with the same options, publish.

    Args:
        beside: see ``fitted_beside``.
        ends_run: see ``publish``.

    Raises:
        RecommenderError: see ``train_model``; the run's row says why.
    """
    with RecordedRun(run):
        ArtifactStore(settings.artifact_root).check_writable(run.use_case, run.engine)
        artifact_storage()  # one that does not exist is found before hours of training
        record_dataset(run, source.dataset.fingerprint)
        source.require_data()
        with naming_libraries(run.engine):
            measurement = source.hold_out.measurement(run.engine, config)
            verdict = judge(run.use_case, run.engine, config, source.hold_out)
            report = stage(source.progress, f"{run.engine} on everything")
            engine = load_trainer(run.engine).train_for_release(source.dataset, config, run.seed, report)
        measured = measurement.to_json()
        version = publish(run, engine, source.dataset, measured, verdict, source.read_at, beside, ends_run)
    return TrainedModel(run, version, None, measurement.evaluation, source.path, verdict)


@contextmanager
def naming_libraries(engine_key: str) -> Iterator[None]:
    """Turn an import that fails into one line that says what to install.

    Raises:
        TrainingError: it.
    """
    try:
        yield
    except ImportError as error:
        raise TrainingError(
            f"The trainer of {engine_key} misses a library ({error}): pip install 'django-recommender-app[train]'."
        ) from error
