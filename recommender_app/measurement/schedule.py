"""Which days are due to be rolled up, and rolling them up.

A day is due as long as something may still be added to it: today once an hour, a day that is over
once a day until its answers can no longer have consequences (the attribution window, and the
seven days that clients may be late), then never again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from django.utils import timezone

from recommender_app.exceptions import MeasurementError
from recommender_app.measurement.answers import oldest_answer_at
from recommender_app.measurement.days import ONE_DAY, Day, aware, day_of, days_from
from recommender_app.measurement.roll_up import NAMED_FOLLOWED, roll_up_day
from recommender_app.measurement.sessions import GAP
from recommender_app.measurement.trimmed import first_whole_day
from recommender_app.models import RolledUpDay
from recommender_app.registry.database import alias
from recommender_app.usecases.declaration import UseCase

logger = logging.getLogger(__name__)

TODAY_EVERY = timedelta(minutes=55)
LATEST = timedelta(days=7)  # how old an event may be that a client posts


def due_days(use_case: UseCase, now: datetime | None = None) -> list[date]:
    """Return the days to roll up, oldest first; three queries. Of trimmed days, those that never were."""
    now = aware(now or timezone.now())
    oldest = oldest_answer_at()
    if oldest is None:
        return []
    done, whole = _done(use_case, day_of(oldest)), first_whole_day() or date.min
    return [
        day
        for day in days_from(day_of(oldest), day_of(now))
        if _is_due(use_case, day, done.get(day), now) and (day >= whole or day not in done)
    ]


def roll_up_due(use_cases: Iterable[UseCase], seconds: float | None = None) -> Iterator[RolledUpDay]:
    """Roll up what is due, yielding each day as it is done.

    Args:
        seconds: after so many no further day is begun; the rest is still due next time.
    """
    started = time.monotonic()
    for use_case in use_cases:
        for day in due_days(use_case):
            if seconds is not None and time.monotonic() - started >= seconds:
                return
            try:
                yield roll_up_day(use_case, day)
            except MeasurementError as error:  # of one day; the others are due as well
                logger.warning("%s", error)


def needed_from(use_cases: Iterable[UseCase]) -> datetime | None:
    """Return from when on the request log is still needed for roll-ups; of use cases that were never rolled up, not."""
    oldest = oldest_answer_at()
    if oldest is None:
        return None
    first = max(day_of(oldest), first_whole_day() or date.min)
    summed_up = set(RolledUpDay.objects.using(alias()).order_by().values_list("use_case", flat=True).distinct())
    needed = (_needed_from(use_case, first) for use_case in use_cases if use_case.key in summed_up)
    return min(needed, default=None)


def _needed_from(use_case: UseCase, day: date) -> datetime:
    """Return the beginning of the first day from one on that is not settled, with the time that visits look at."""
    done = _done(use_case, day)
    while day in done and day_of(done[day]) >= _settled(use_case, day):
        day += ONE_DAY
    return Day(day).start - GAP


def _done(use_case: UseCase, first: date) -> dict[date, datetime]:
    rows = RolledUpDay.objects.using(alias()).filter(use_case=use_case.key, day__gte=first)
    return {day: aware(moment) for day, moment in rows.values_list("day", "rolled_up_at")}


def _is_due(use_case: UseCase, day: date, rolled_up_at: datetime | None, now: datetime) -> bool:
    if rolled_up_at is None:
        return True
    if day >= day_of(now):
        return now - rolled_up_at >= TODAY_EVERY
    return day_of(rolled_up_at) < min(day_of(now), _settled(use_case, day))


def _settled(use_case: UseCase, day: date) -> date:
    """Return from which day on nothing can be added to a day."""
    return day + 2 * ONE_DAY + max(use_case.attribution_window, NAMED_FOLLOWED) + LATEST
