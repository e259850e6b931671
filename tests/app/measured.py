"""Rows of the request log and of the ledger whose sums a child can check."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from recommender_app.measurement.roll_up import roll_up_day
from recommender_app.models import FeedbackEvent, RequestLog
from recommender_app.usecases.site import get_use_case
from tests.toyhost.models import Reading

DAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
_numbers = itertools.count(1)


def at(hours: float) -> datetime:
    """Return a moment so many hours after noon of DAY."""
    return NOON + timedelta(hours=hours)


def answer(user, *items, hours: float = 0, **fields) -> UUID:
    """Log an answer that showed items (instances or names); return its request id."""
    values = {"engine": "als", "model_version": "als_v1", "latency_ms": 20.0, **fields}
    results = [
        {"item": str(getattr(item, "pk", item)), "rank": rank, "score": 1 / rank, "source": values["engine"]}
        for rank, item in enumerate(items, start=1)
    ]
    row = RequestLog.objects.create(
        request_id=UUID(int=next(_numbers)),
        use_case="books",
        user_id=str(getattr(user, "pk", user)),
        requested_limit=10,
        n_results=len(items),
        results=results,
        created_at=at(hours),
        **values,
    )
    return row.request_id


def event(user, item, name: str, hours: float = 0, **fields) -> FeedbackEvent:
    """Add a posted event to the ledger."""
    number = next(_numbers)
    return FeedbackEvent.objects.create(
        use_case="books",
        user_id=str(getattr(user, "pk", user)),
        event_id=f"event-{number}",
        item_id=str(getattr(item, "pk", item)),
        event=name,
        occurred_at=at(hours),
        receipt=UUID(int=number),
        **fields,
    )


def read(reader, book, kind: str, hours: float) -> Reading:
    """Add an interaction that the host's own views wrote."""
    return Reading.objects.create(reader=reader, book=book, kind=kind, at=at(hours))


def roll_up(day: date = DAY):
    """Roll up a day of the books."""
    return roll_up_day(get_use_case("books"), day)
