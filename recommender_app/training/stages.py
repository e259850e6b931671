"""Which part of a job a progress report belongs to."""

from __future__ import annotations

from recommender_app.trainers.base import Progress


def stage(progress: Progress, name: str) -> Progress:
    """Return ``progress`` with the stage's name before each label."""

    def report(done: int, total: int, label: str) -> None:
        progress(done, total, f"{name}: {label}")

    return report
