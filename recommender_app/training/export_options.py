"""What an export can be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.utils import timezone

from recommender_app.exceptions import DatasetError
from recommender_app.usecases.exporting import Window


@dataclass(frozen=True)
class ExportOptions:
    """Which part of the interactions is exported.

    Attributes:
        since: first moment that counts; a date means its midnight, naive = the project's time zone.
        until: first moment that no longer counts; ages for the decay are counted from it if given.
        min_interactions: users with fewer distinct (item, event) pairs in the window are left out.
        json_mappings: also write user_mapping.json and item_mapping.json, {id as text: row}.

    Raises:
        DatasetError: nothing lies between ``since`` and ``until``.
    """

    since: datetime | date | None = None
    until: datetime | date | None = None
    min_interactions: int = 0
    json_mappings: bool = False

    def __post_init__(self) -> None:
        since, until = self.window
        if since is not None and until is not None and since >= until:
            raise DatasetError(f"Nothing lies between since {since:%Y-%m-%d %H:%M} and until {until:%Y-%m-%d %H:%M}.")

    @property
    def window(self) -> Window:
        """``since`` and ``until`` as aware datetimes."""
        return _moment(self.since), _moment(self.until)

    def to_json(self) -> dict[str, Any]:
        """Return what decides about the content of the dataset; mappings do not."""
        since, until = (moment and moment.astimezone(UTC).isoformat() for moment in self.window)
        return {"since": since, "until": until, "min_interactions": self.min_interactions}


def _moment(value: datetime | date | None) -> datetime | None:
    if value is None:
        return None
    moment = value if isinstance(value, datetime) else datetime.combine(value, time.min)
    return timezone.make_aware(moment, timezone.get_default_timezone()) if timezone.is_naive(moment) else moment
