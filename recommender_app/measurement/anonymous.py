"""What people do before they log in: kept by a signed session, and theirs from their login on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import router, transaction
from django.db.models import QuerySet
from django.utils import timezone

from recommender_app.exceptions import InvalidEvents
from recommender_app.experiments.linking import link
from recommender_app.measurement.attribution import Action, Exposure, attribute
from recommender_app.measurement.checking import OLDEST, checked_events
from recommender_app.measurement.deadlocks import past_deadlocks
from recommender_app.measurement.events import CLICK, IMPRESSION, PostedEvent
from recommender_app.measurement.recording import Status, as_stored, record_events
from recommender_app.models import AnonymousEvent, RequestLog
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.site import all_use_cases
from recommender_app.usecases.visitors import Visitor

COOKIE = "recommender_session"
ALLOWED = (IMPRESSION, CLICK)
MOST_EVENTS = 1_000  # of a session, in all use cases
# What hooks of the host raise that were written for other requests, or not to the end.
HOST_ERRORS = (PermissionDenied, ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
_SALT = "recommender_app.anonymous"
_CHUNK = 500


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
    held, fresh = _of(session), _without_known(use_case, session, events)
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
    rows = _of(session).filter(use_case=use_case.key, event_id__in=ids)
    known = set(rows.values_list("event_id", flat=True))
    return {number: event for number, event in enumerate(events) if event.event_id not in known}


def waiting_use_cases(session: str) -> list[str]:
    """Return the keys of the use cases in which a session has done something or was shown a list, sorted."""
    found = set(_of(session).order_by().values_list("use_case", flat=True).distinct())
    keys = [use_case.key for use_case in all_use_cases() if use_case.allow_anonymous_lists]
    if keys:
        found |= set(_shown(session, keys).values_list("use_case", flat=True).distinct())
    return sorted(found)


def merge(use_case: UseCase, session: str, user: Any) -> int:
    """Make the events of a session, and the lists that it was shown, those of ``user``; return how many events.

    They pass the checks of any event again: what the user may not see, or what is older than a
    week, is dropped. A session merges once; its rows go.
    """
    return past_deadlocks(lambda: _merged(use_case, session, user))


def _merged(use_case: UseCase, session: str, user: Any) -> int:
    with transaction.atomic(using=router.db_for_write(AnonymousEvent)):
        link(use_case, session, user)
        shown = list(_shown(session, [use_case.key]).values_list("request_id", "results", "created_at"))
        _shown(session, [use_case.key]).update(user_id=str(user.pk))
        rows = list(
            AnonymousEvent.objects.select_for_update().filter(session=session, use_case=use_case.key).order_by("pk")
        )
        events = _naming_their_answers(use_case, rows, shown)
        n_recorded = sum(
            _recorded(use_case, user, events[start : start + _CHUNK]) for start in range(0, len(events), _CHUNK)
        )
        AnonymousEvent.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return n_recorded


def _naming_their_answers(
    use_case: UseCase, rows: Sequence[AnonymousEvent], shown: Sequence[tuple[UUID, Any, datetime]]
) -> list[PostedEvent]:
    """Return what a session did as events that name the answer they are due to: a second click on it is none."""
    exposures = [
        Exposure(str(request_id), "", str(result["item"]), _aware(created_at))
        for request_id, results, created_at in shown
        for result in results
    ]
    actions = [Action("", row.item_id, _aware(row.occurred_at)) for row in rows]
    due_to = attribute(actions, exposures, use_case.attribution_window)
    return [
        PostedEvent(row.event_id, row.item_id, row.event, action.at, UUID(request_id) if request_id else None)
        for row, action, request_id in zip(rows, actions, due_to, strict=True)
    ]


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


def _of(session: str) -> QuerySet[AnonymousEvent]:
    return AnonymousEvent.objects.using(router.db_for_write(AnonymousEvent)).filter(session=session)


def _shown(session: str, keys: Sequence[str]) -> QuerySet[RequestLog]:
    log = RequestLog.objects.using(router.db_for_write(RequestLog)).order_by()
    return log.filter(use_case__in=keys, user_id=Visitor(session).pk)


def _recorded(use_case: UseCase, user: Any, events: list[PostedEvent]) -> int:
    """Record what can be recorded of some events, without those that are refused.

    Our checks name all of those at once, a host names the first: the rest goes on in halves, because
    to try all of the rest after each that the host refuses would take the square of their number.
    """
    if not events:
        return 0
    try:
        return record_events(use_case, user, events).count("recorded")
    except InvalidEvents as problem:
        rest = [event for number, event in enumerate(events) if number not in problem.errors]
    half = (len(rest) + 1) // 2
    return _recorded(use_case, user, rest[:half]) + _recorded(use_case, user, rest[half:])


def _status(event_id: str, mine: set[str]) -> Status:
    """Return what became of an event; of two of the same id in one post, the second is a duplicate."""
    if event_id not in mine:
        return "duplicate"
    mine.discard(event_id)
    return "recorded"


def _aware(moment: datetime) -> datetime:
    return timezone.make_aware(moment, timezone.get_default_timezone()) if timezone.is_naive(moment) else moment
