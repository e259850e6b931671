"""Deletes old posted events, by ranges of primary keys, each in a short transaction of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import router
from django.db.models import QuerySet

from recommender_app.conf import settings
from recommender_app.measurement.days import stored
from recommender_app.models import FeedbackEvent
from recommender_app.registry.trim_marks import EVENTS, note_trim

CHUNK = 5_000  # ids of a range


def trim_events(*, not_beyond: datetime | None = None, dry_run: bool = False) -> int:
    """Delete the events that were received more than EVENT_RETENTION_DAYS ago; return how many.

    Keys grow with the time of receipt: the first range that keeps an event ends it.

    Args:
        not_beyond: events from then on stay in any case, because somebody has not summed them up yet.
        dry_run: only count.
    """
    if settings.EVENT_RETENTION_DAYS is None:
        return 0
    before = datetime.now(UTC) - timedelta(days=settings.EVENT_RETENTION_DAYS)
    moment = stored(min(before, not_beyond or before))
    if dry_run:
        return _events().filter(received_at__lt=moment).count()
    n_deleted, first = 0, _first_from(0)
    while first is not None:
        in_range = _events().filter(pk__gte=first, pk__lt=first + CHUNK)
        old = in_range.filter(received_at__lt=moment)
        if not old.exists():
            break
        note_trim(EVENTS, moment)
        n_deleted += old.delete()[0]
        first = None if in_range.exists() else _first_from(first + CHUNK)
    return n_deleted


def _first_from(pk: int) -> int | None:
    """Return the first primary key from one on; gaps, however wide, cost nothing."""
    return _events().filter(pk__gte=pk).order_by("pk").values_list("pk", flat=True).first()


def _events() -> QuerySet[FeedbackEvent]:
    return FeedbackEvent._base_manager.using(router.db_for_write(FeedbackEvent)).order_by()
