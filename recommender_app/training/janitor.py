"""Keeps rows and disk in order: called every hour by Celery beat, or by cron through the commands."""

from __future__ import annotations

import logging

from recommender_app.artifacts.live_hint import remove_stale_hints
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.dataset.staging import LEFTOVER_SECONDS, remove_leftovers
from recommender_app.exceptions import RecommenderError
from recommender_app.models import TrainingRun
from recommender_app.training.forgotten import prune_forgotten
from recommender_app.training.reconcile import reconcile
from recommender_app.training.retention import prune
from recommender_app.usecases.site import all_use_cases

ABANDONED_SECONDS = 3600.0  # exports outside a training are shorter; what is left of one holds ids of people

logger = logging.getLogger(__name__)


def keep_order() -> list[str]:
    """Remove leftovers, repair what disagrees, delete what is superfluous; return a line to tell for each change."""
    clean_up()
    lines = []
    for use_case in all_use_cases():
        remove_abandoned_exports(use_case.key)
        try:
            lines += reconcile(use_case.key)
            pruned = [*prune(use_case.key), *prune_forgotten(use_case)]
            lines += [f"{each.use_case}: {each.kind} {each.name} is deleted" for each in pruned]
        except RecommenderError as error:  # of one use case; the others need order as well
            logger.error("%s is not in order: %s", use_case.key, error)  # noqa: TRY400  the line says it all
    return lines


def clean_up(older_than_seconds: float = LEFTOVER_SECONDS) -> None:
    """Delete what exports, trainings and promotions have staged that nobody finishes any more."""
    ArtifactStore(settings.artifact_root).remove_stale_staging(older_than_seconds)
    remove_stale_hints(settings.artifact_root, older_than_seconds)
    for folder in (settings.artifact_root / "datasets").glob("*"):
        remove_leftovers(folder, older_than_seconds)


def remove_abandoned_exports(use_case_key: str) -> None:
    """Delete what exports that were killed have staged, once nothing of the use case is being trained."""
    if not TrainingRun.objects.filter(use_case=use_case_key, status=TrainingRun.Status.RUNNING).exists():
        remove_leftovers(settings.artifact_root / "datasets" / use_case_key, ABANDONED_SECONDS)
