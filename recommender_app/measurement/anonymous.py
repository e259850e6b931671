"""What people do before they log in: kept by a signed session, until they do; ``merging`` makes it theirs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from django.core import signing
from django.db import router
from django.db.models import QuerySet

from recommender_app.exceptions import InvalidEvents
from recommender_app.measurement.checking import OLDEST, checked_events
from recommender_app.measurement.events import CLICK, IMPRESSION, PostedEvent
from recommender_app.measurement.recording import Status, as_stored
from recommender_app.models import AnonymousEvent, RequestLog
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.site import all_use_cases
from recommender_app.usecases.visitors import Visitor

COOKIE = "recommender_session"
ALLOWED = (IMPRESSION, CLICK)
MOST_EVENTS = 1_000  # of a session, in all use cases
_SALT = "recommender_app.anonymous"


def new_session() -> tuple[str, str]:
    """Return a session and what the client is given for it."""
    session = uuid4().hex
    return session, signing.dumps(session, salt=_SALT)


def session_of(signed: str) -> str | None:
    """Return the session that a client names; None where we did not sign it, or too long ago."""
    try:
        return str(signing.loads(signed, salt=_SALT, max_age=OLDEST))
    except signing.BadSignature:
        return None


def record_anonymous(use_case: UseCase, session: str, events: Sequence[PostedEvent]) -> list[Status]:
    """Keep the impressions and clicks of a session: all of them, or nothing; each ``event_id`` once.

    Items are those of ``get_items(None)``. An answer that an event names must have been the session's; it is
    not kept: at the login the event is tied to the last answer that showed its item.

    Raises:
        InvalidEvents: what is wrong with which event, or the session holds MOST_EVENTS.
    """
    now, receipt = datetime.now(UTC), uuid4()
    held, fresh = of_session(session), _without_known(use_case, session, events)
    checked = checked_events(use_case, Visitor(session), fresh, now, ALLOWED)
    if held.count() + len(fresh) > MOST_EVENTS:
        raise InvalidEvents({0: {"event_id": [f"A session holds {MOST_EVENTS} events at most: log in."]}})
    rows = [
        AnonymousEvent(
            use_case=use_case.key,
            session=session,
            event_id=event.posted.event_id,
            item_id=str(event.item.pk),
            event=event.posted.event,
            occurred_at=as_stored(event.occurred_at),
            received_at=as_stored(now),
            receipt=receipt,
        )
        for event in sorted(checked.values(), key=lambda event: event.posted.event_id)  # no circle of waiting posts
    ]
    AnonymousEvent.objects.bulk_create(rows, ignore_conflicts=True)
    mine = set(held.filter(receipt=receipt).values_list("event_id", flat=True))
    return [_status(event.event_id, mine) for event in events]


def _without_known(use_case: UseCase, session: str, events: Sequence[PostedEvent]) -> dict[int, PostedEvent]:
    """Return by number what was not stored before: what is known was checked then, and may have changed since."""
    ids = {event.event_id for event in events}
    rows = of_session(session).filter(use_case=use_case.key, event_id__in=ids)
    known = set(rows.values_list("event_id", flat=True))
    return {number: event for number, event in enumerate(events) if event.event_id not in known}


def waiting_use_cases(session: str) -> list[str]:
    """Return the keys of the use cases in which a session has done something or was shown a list, sorted."""
    found = set(of_session(session).order_by().values_list("use_case", flat=True).distinct())
    keys = [use_case.key for use_case in all_use_cases() if use_case.allow_anonymous_lists]
    if keys:
        found |= set(shown_to_session(session, keys).values_list("use_case", flat=True).distinct())
    return sorted(found)


def delete_old(now: datetime, *, dry_run: bool = False) -> int:
    """Delete what nobody logged in to for a week, a few rows at a time; return how many.

    Args:
        dry_run: only count.
    """
    old = AnonymousEvent.objects.filter(received_at__lt=as_stored(now - OLDEST)).order_by("pk")
    if dry_run:
        return old.count()
    n_deleted = 0
    while keys := list(old.values_list("pk", flat=True)[:10_000]):
        n_deleted += AnonymousEvent.objects.filter(pk__in=keys).delete()[0]
    return n_deleted


def of_session(session: str) -> QuerySet[AnonymousEvent]:
    """Return what a session did that is nobody's yet, from where it was written: a replica may lag."""
    return AnonymousEvent.objects.using(router.db_for_write(AnonymousEvent)).filter(session=session)


def shown_to_session(session: str, keys: Sequence[str]) -> QuerySet[RequestLog]:
    """Return the answers that a session got in some use cases, as long as they are nobody's."""
    log = RequestLog.objects.using(router.db_for_write(RequestLog)).order_by()
    return log.filter(use_case__in=keys, user_id=Visitor(session).pk)


def _status(event_id: str, mine: set[str]) -> Status:
    """Return what became of an event; of two of the same id in one post, the second is a duplicate."""
    if event_id not in mine:
        return "duplicate"
    mine.discard(event_id)
    return "recorded"
