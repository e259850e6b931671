"""Rows that came into the table after their day was summed up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings as django_settings
from django.utils import timezone

from recommender_app.exceptions import UnknownUseCase
from recommender_app.models import RequestLog, RolledUpDay
from recommender_app.registry.database import alias
from recommender_app.registry.trim_marks import trimmed_before
from recommender_app.usecases.site import get_use_case

ONE_DAY = timedelta(days=1)


def sum_up_again(rows: Sequence[RequestLog]) -> None:
    """Make the days due again that late rows change, as far as the log still holds them.

    A row takes what came within the attribution window from the answers before it, and belongs to
    a visit that may have begun the day before or goes on the day after. Yesterday and today are due anyway.
    """
    today = datetime.now(UTC).date()
    late: defaultdict[str, set[date]] = defaultdict(set)
    for row in rows:
        day = row.created_at.astimezone(UTC).date()
        if day < today - ONE_DAY:
            late[row.use_case].add(day)
    for key, days in late.items():
        _make_due(key, _changed(key, days), today)


def _changed(key: str, days: set[date]) -> set[date]:
    try:
        n_before = get_use_case(key).attribution_window.days + 1
    except UnknownUseCase:  # nobody sums it up any more
        return set()
    return {day + number * ONE_DAY for day in days for number in range(-n_before, 2)}


def _make_due(key: str, days: set[date], today: date) -> None:
    """Say that they were last rolled up when they ended: complete, but before everything that came later."""
    before = trimmed_before()
    for day in sorted(days):
        if day >= today - ONE_DAY or (before is not None and day <= before.date()):
            continue
        ended: datetime = datetime.combine(day + ONE_DAY, time.min, UTC)
        moment = ended if django_settings.USE_TZ else timezone.make_naive(ended, timezone.get_default_timezone())
        done = RolledUpDay.objects.using(alias()).filter(use_case=key, day=day)
        done.filter(rolled_up_at__gt=moment).update(rolled_up_at=moment)
