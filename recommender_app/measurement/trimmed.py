"""Which days retention has deleted rows of: their roll-ups are all that is left of them."""

from __future__ import annotations

from datetime import date, datetime

from recommender_app.measurement.days import ONE_DAY, Day, aware, day_of
from recommender_app.measurement.sessions import GAP
from recommender_app.registry.trim_marks import trimmed_before


def is_trimmed(day: date) -> bool:
    """Tell whether rows that a day's sums need may be gone."""
    first = first_whole_day()
    return first is not None and day < first


def first_whole_day() -> date | None:
    """Return the first day of which nothing is deleted, nor of the time before it that visits look at; None = all."""
    before = trimmed_before()
    if before is None:
        return None
    moment: datetime = aware(before)
    day = day_of(moment)
    while Day(day).start - GAP < moment:
        day += ONE_DAY
    return day
