"""Days of UTC, and the moments around them that a roll-up has to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from recommender_app.usecases.rows import microseconds

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """One day of UTC."""

    date: date

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.date, time.min, UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return self.start + ONE_DAY


def day_of(moment: datetime) -> date:
    """Return the day of UTC that a moment is in."""
    return aware(moment).astimezone(UTC).date()


def days_from(first: date, last: date) -> Iterator[date]:
    """Yield the days from the first to the last, both included."""
    for number in range((last - first).days + 1):
        yield first + number * ONE_DAY


def aware(moment: Any) -> datetime:
    """Return what a host's time field holds (naive in the project's time zone, or a mere date) as an aware moment."""
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return moment
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds(moment))


def stored(moment: datetime) -> datetime:
    """Return an aware moment as the database compares it: naive where the project has no time zones."""
    return moment if settings.USE_TZ else timezone.make_naive(moment, timezone.get_default_timezone())
