"""What a process that died between publishing and the end of its run has left."""

from __future__ import annotations

from pathlib import Path

from recommender_app.conf import settings
from recommender_app.models import ModelVersion, TrainingRun
from recommender_app.training.run import TrainedModel
from recommender_app.training.summary import ENDINGS, Ending, EngineResult
from recommender_app.training.verdict import Verdict

Status = ModelVersion.Status
_SETTLED = {Status.READY: Ending.PROMOTED, Status.RETIRED: Ending.PROMOTED, Status.REJECTED: Ending.REJECTED}


def resumed(run: TrainingRun, version: ModelVersion) -> EngineResult:
    """Return how far a judged version came: it may be live already, turned down, or wait for its promotion."""
    verdict = Verdict.from_json(version.gate or {})
    model = TrainedModel(run, version, None, None, dataset_folder(version), verdict)
    ending = _SETTLED.get(Status(version.status)) or ENDINGS[verdict.outcome]
    reason = version.reason or ("" if verdict.passed else verdict.reason)
    return EngineResult(version.engine, ending, model, verdict, reason)


def dataset_folder(version: ModelVersion) -> Path:
    """Return where the dataset lies that a version has learned from, unless it was deleted."""
    folder: Path = settings.artifact_root / "datasets" / version.use_case / version.dataset_fingerprint
    return folder
