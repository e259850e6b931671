"""Removes what killed processes left on the disk."""

from __future__ import annotations

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.dataset.staging import LEFTOVER_SECONDS, remove_leftovers


def clean_up(older_than_seconds: float = LEFTOVER_SECONDS) -> None:
    """Delete the staging folders of exports and trainings that nobody finishes any more."""
    ArtifactStore(settings.artifact_root).remove_stale_staging(older_than_seconds)
    for folder in (settings.artifact_root / "datasets").glob("*"):
        remove_leftovers(folder, older_than_seconds)
