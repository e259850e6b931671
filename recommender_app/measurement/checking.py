"""Whether posted events can have happened: to this user, with an item that may be seen, in an answer that was given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import router
from django.utils import timezone

from recommender_app.exceptions import InvalidEvents
from recommender_app.measurement.days import aware
from recommender_app.measurement.events import RATING, PostedEvent, accepted_events
from recommender_app.models import RequestLog
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.items import item_key
from recommender_app.usecases.values import usable_ids
from recommender_app.usecases.visitors import Visitor, host_user

OLDEST, AHEAD = timedelta(days=7), timedelta(minutes=5)  # around now: when a client may say that it happened
MOST_POSITION = 1_000

Errors = dict[str, list[str]]
Places = dict[UUID, dict[str, int]]  # {request id: {item id as text: rank}}


@dataclass(frozen=True)
class CheckedEvent:
    """A posted event that can have happened.

    Attributes:
        item: the instance.
        occurred_at: aware, not in the future.
        position: that of the answer, whether or not the client said it.
    """

    posted: PostedEvent
    item: Any
    occurred_at: datetime
    position: int | None


def checked_events(
    use_case: UseCase,
    user: Any,
    events: Mapping[int, PostedEvent],
    now: datetime,
    allowed: Sequence[str] | None = None,
    session: str | None = None,
) -> dict[int, CheckedEvent]:
    """Return the events by their number, checked, in two queries at most.

    Args:
        user: a ``Visitor`` where nobody has logged in.
        allowed: the events that may be posted; ``accepted_events`` if None.
        session: of before the user's login: events may name its answers, too.

    Raises:
        InvalidEvents: says of every event that cannot have happened what is wrong.
    """
    items = _visible_items(use_case, user, events.values())
    shown_to = [str(user.pk), *([Visitor(session).pk] if session else [])]
    places, answered_at = _places(use_case, shown_to, events.values())
    allowed = accepted_events(use_case) if allowed is None else allowed
    found: dict[int, CheckedEvent] = {}
    errors: dict[int, Errors] = {}
    for number, event in events.items():
        item: Any = items.get(item_text(use_case, event.item))
        wrong = _plain_errors(event, allowed, now) | _shown_errors(use_case, event, item, places)
        if wrong:
            errors[number] = wrong
            continue
        rank, since = event.position, None
        if event.request_id:
            rank, since = places[event.request_id][str(item.pk)], answered_at[event.request_id]
        occurred_at = min(event.occurred_at or now, now)
        # Clocks differ: what was done about an answer was not done before it.
        found[number] = CheckedEvent(event, item, max(occurred_at, since or occurred_at), rank)
    if errors:
        raise InvalidEvents(errors)
    return found


def item_text(use_case: UseCase, item: Any) -> str:
    """Return the key that a client's ``item`` means, as the ledger holds it; "" where it can be none."""
    key = item_key(use_case, item)
    return "" if key is None else str(key)


def _visible_items(use_case: UseCase, user: Any, events: Iterable[PostedEvent]) -> dict[str, Any]:
    """Return {key as text: item} of what ``get_items`` yields; what ``hide_after`` hides has been met and counts."""
    keys = usable_ids(use_case, {item_text(use_case, event.item) for event in events} - {""})
    if not keys:
        return {}
    items = use_case.get_items(host_user(user)).filter(pk__in=keys).prefetch_related(None).order_by()
    return {str(item.pk): item for item in items}


def _places(
    use_case: UseCase, shown_to: Sequence[str], events: Iterable[PostedEvent]
) -> tuple[Places, dict[UUID, datetime]]:
    """Return what the named answers showed and when, of those that were given to this user in this use case."""
    asked = {event.request_id for event in events if event.request_id}
    if not asked:
        return {}, {}
    log = RequestLog.objects.using(router.db_for_write(RequestLog))  # a replica may not know the answer yet
    logged = log.filter(request_id__in=asked, use_case=use_case.key, user_id__in=shown_to)
    places: Places = defaultdict(dict)
    answered_at: dict[UUID, datetime] = {}
    for request_id, results, created_at in logged.values_list("request_id", "results", "created_at"):
        places[request_id] = {result["item"]: result["rank"] for result in results}
        answered_at[request_id] = aware(created_at)
    return places, answered_at


def _plain_errors(event: PostedEvent, allowed: Sequence[str], now: datetime) -> Errors:
    errors: Errors = {}
    if event.event not in allowed:
        errors["event"] = [f"{event.event!r} cannot be posted here: choose from {', '.join(allowed)}."]
    if event.event == RATING and (event.rating is None or not 1 <= event.rating <= 5):
        errors["rating"] = ["A rating needs a whole number from 1 to 5."]
    if event.event != RATING and event.rating is not None:
        errors["rating"] = ["Only the event rating has one: leave it out."]
    if event.occurred_at is not None and (wrong := _time_error(event.occurred_at, now)):
        errors["occurred_at"] = [wrong]
    return errors


def _time_error(moment: datetime, now: datetime) -> str:
    if timezone.is_naive(moment):
        return "The time has no time zone: write 2024-05-01T12:00:00Z, or with an offset such as +02:00."
    if not now - OLDEST <= moment <= now + AHEAD:
        return "The time must lie within the last 7 days, and at most 5 minutes ahead."
    return ""


def _shown_errors(use_case: UseCase, event: PostedEvent, item: Any, places: Places) -> Errors:
    if item is None:
        return {"item": [f"There is no such item in {use_case.key}."]}  # the same where it may not be seen
    if event.request_id is None:
        is_possible = event.position is None or 1 <= event.position <= MOST_POSITION
        return {} if is_possible else {"position": [f"Places are 1 to {MOST_POSITION}."]}
    if event.request_id not in places:
        return {"request_id": [f"No answer of {use_case.key} to you has this id."]}
    rank = places[event.request_id].get(str(item.pk))
    if rank is None:
        return {"item": ["The answer that request_id names did not show this item."]}
    if event.position not in (None, rank):
        return {"position": [f"In that answer the item was at place {rank}: say that, or leave it out."]}
    return {}
