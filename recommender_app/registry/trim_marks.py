"""Up to where retention has deleted. Committed before the first row goes: whoever misses one finds the mark."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max

from recommender_app.models import TrimMark
from recommender_app.registry.database import alias

LOG, EVENTS = TrimMark.Trimmed.LOG, TrimMark.Trimmed.EVENTS


def note_trim(table: str, before: datetime) -> None:
    """Note that rows older than ``before`` are about to be deleted; a mark that is further stays.

    Args:
        before: as the database compares it.
    """
    marks = TrimMark.objects.using(alias())
    if not marks.get_or_create(table=table, defaults={"before": before})[1]:
        marks.filter(table=table, before__lt=before).update(before=before)


def trimmed_before() -> datetime | None:
    """Return from when on every row of every trimmed table is there, as it is stored; None = nothing is gone."""
    found: datetime | None = TrimMark.objects.using(alias()).aggregate(newest=Max("before"))["newest"]
    return found
