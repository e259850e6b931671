"""Deletes old rows of the request log, by ranges of primary keys, each in a short transaction of its own."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import router
from django.db.models import QuerySet
from django.utils import timezone

from recommender_app.conf import settings
from recommender_app.models import RequestLog
from recommender_app.registry.trim_marks import LOG, note_trim

CHUNK = 5_000  # ids of a range, as long as deleting them is quick
MOST_SECONDS, LEAST_CHUNK = 0.3, 100


def trim_log(*, not_beyond: datetime | None = None, days: float | None = None, dry_run: bool = False) -> int:
    """Delete the rows that are older than LOG_RETENTION_DAYS; return how many.

    One that came late from the spool, with a key beyond those of its time, goes with the run after.

    Args:
        not_beyond: rows from then on stay in any case, because somebody has not summed them up yet.
        days: instead of LOG_RETENTION_DAYS.
        dry_run: only count.
    """
    kept_days = settings.LOG_RETENTION_DAYS if days is None else days
    if kept_days is None:
        return 0
    before = timezone.now() - timedelta(days=kept_days)
    if not_beyond is not None and timezone.is_naive(before):
        not_beyond = timezone.make_naive(not_beyond, timezone.get_default_timezone())
    before = min(before, not_beyond or before)
    old = _log().filter(created_at__lt=before)
    return old.count() if dry_run else _deleted(old, before)


def _deleted(old: QuerySet[RequestLog], before: datetime) -> int:
    """Delete range by range up to the key of the newest old row; one that took long makes the next ones smaller.

    No second pass looks for rows that came late from the spool: it would read past everything
    that was just deleted, which takes seconds after a million rows. The next run finds them.
    """
    keys = old.values_list("pk", flat=True)
    newest, first = keys.order_by("-created_at").first(), keys.order_by("pk").first()
    if newest is not None:
        note_trim(LOG, before)
    chunk, n_deleted = CHUNK, 0
    while newest is not None and first is not None and first <= newest:
        started = time.monotonic()
        n_deleted += old.filter(pk__gte=first, pk__lt=min(first + chunk, newest + 1)).delete()[0]
        first = _first_from(first + chunk)
        if time.monotonic() - started > MOST_SECONDS:
            chunk = max(chunk // 2, LEAST_CHUNK)
    return n_deleted


def _first_from(pk: int) -> int | None:
    """Return the first primary key from one on; gaps, however wide, cost nothing."""
    return _log().filter(pk__gte=pk).order_by("pk").values_list("pk", flat=True).first()


def _log() -> QuerySet[RequestLog]:
    return RequestLog._base_manager.using(router.db_for_write(RequestLog))
