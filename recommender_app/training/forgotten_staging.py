"""What exports, trainings and promotions that were killed have staged: it may tell about anybody."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from recommender_app.artifacts.paths import MODELS
from recommender_app.conf import settings
from recommender_app.dataset.staging import PREFIX
from recommender_app.models import TrainingRun

QUIET_SECONDS = 60.0  # whoever writes still has written something since


def delete_staged(use_case_key: str, *, dry_run: bool = False) -> tuple[int, int]:
    """Delete what nobody goes on writing; return how many folders went, and how many wait for the janitor."""
    is_training = TrainingRun.objects.filter(use_case=use_case_key, status=TrainingRun.Status.RUNNING).exists()
    n_deleted = n_waiting = 0
    for folder in _staged(use_case_key):
        if is_training or time.time() - _newest(folder) < QUIET_SECONDS:
            n_waiting += 1
            continue
        n_deleted += 1
        if not dry_run:
            shutil.rmtree(folder, ignore_errors=True)  # somebody else may be deleting it
    return n_deleted, n_waiting


def _staged(use_case_key: str) -> Iterator[Path]:
    root = settings.artifact_root
    yield from (root / "datasets" / use_case_key).glob(f"{PREFIX}*")
    yield from (root / MODELS / use_case_key).glob(f"*/{PREFIX}*")


def _newest(folder: Path) -> float:
    """Return when something was last written; 0 where somebody has deleted it meanwhile."""
    try:
        return max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:
        return 0.0
