"""``record_events``: posted events become rows of the ledger and the host's own interactions, once each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, router, transaction
from django.db.models import Model
from django.utils import timezone

from recommender_app.exceptions import InvalidEvents
from recommender_app.measurement.checking import CheckedEvent, checked_events, item_text
from recommender_app.measurement.deadlocks import past_deadlocks
from recommender_app.measurement.events import RATING, PostedEvent, can_record
from recommender_app.models import FeedbackEvent
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.snapshot import tables_of

Status = Literal["recorded", "duplicate"]
ONCE = ("click", "impression")  # see the constraint of FeedbackEvent


def record_events(
    use_case: UseCase, user: Any, events: Sequence[PostedEvent], session: str | None = None
) -> list[Status]:
    """Record what ``user`` did: all of it, or nothing.

    An event whose ``event_id`` the user has posted before is a duplicate, as is a second click (or
    impression) of one item in one answer: nothing is written for it, however many are posted at
    the same moment. Queries: six at most, one for each undo, and the host's own for each event
    that is recorded.

    Rows are written item by item, in the order of their keys; of one item, in the order given. So posts
    of the same items do not wait for each other in a circle; where the host's own rows do, the
    database undoes one post, and that is done again.

    Args:
        user: an instance of the use case's ``users`` model.
        session: of before the login, whose answers are about to become the user's: events may name them.

    Raises:
        InvalidEvents: what is wrong with which event; nothing was recorded.
    """
    return past_deadlocks(lambda: _recorded(use_case, user, events, session))


def _recorded(use_case: UseCase, user: Any, events: Sequence[PostedEvent], session: str | None) -> list[Status]:
    now = datetime.now(UTC)
    fresh = _without_known(use_case, user, events)
    checked = checked_events(use_case, user, fresh, now, session=session)
    with _transaction(use_case):
        recorded = _stored(use_case, user, checked, now) if checked else set()
        for number in sorted(recorded, key=lambda number: (str(checked[number].item.pk), number)):
            _tell_host(use_case, user, number, checked, now)
    return ["recorded" if number in recorded else "duplicate" for number in range(len(events))]


def _without_known(use_case: UseCase, user: Any, events: Sequence[PostedEvent]) -> dict[int, PostedEvent]:
    """Return the events by number, without repetitions of others or of stored ones, in one query.

    Raises:
        InvalidEvents: an ``event_id`` names two different events.
    """
    rows = _ledger(use_case, user).filter(event_id__in={event.event_id for event in events})
    known = {row[0]: row[1:] for row in rows.values_list("event_id", "item_id", "event")}
    fresh, errors = {}, {}
    for number, event in enumerate(events):
        told = (item_text(use_case, event.item), event.event)
        if event.event_id not in known:
            known[event.event_id], fresh[number] = told, event
        elif known[event.event_id] != told:
            errors[number] = {"event_id": ["You have used this id for another event: give each its own."]}
    if errors:
        raise InvalidEvents(errors)
    return fresh


def _stored(use_case: UseCase, user: Any, checked: Mapping[int, CheckedEvent], now: datetime) -> set[int]:
    """Insert what is not there yet; return the numbers of what was inserted.

    The unique constraints decide between posts of the same moment. What one of them takes for the
    same is at the same place of every post, whatever ids the clients gave it.
    """
    receipt = uuid4()
    numbers = sorted(_first_of_each(checked), key=lambda number: _place(checked[number]))
    rows = [_row(use_case, user, checked[number], now, receipt) for number in numbers]
    FeedbackEvent.objects.bulk_create(rows, ignore_conflicts=True)
    event_ids = [row.event_id for row in rows]
    inserted = _ledger(use_case, user).filter(event_id__in=event_ids, receipt=receipt)
    mine = set(inserted.values_list("event_id", flat=True))
    return {number for number in numbers if checked[number].posted.event_id in mine}


def _place(event: CheckedEvent) -> tuple[str, ...]:
    return str(event.item.pk), event.posted.event, str(event.posted.request_id or ""), event.posted.event_id


def _first_of_each(checked: Mapping[int, CheckedEvent]) -> list[int]:
    """Return the numbers without those of a second click or impression of one item in one answer, as posted."""
    firsts: dict[Any, int] = {}
    for number in sorted(checked):
        event = checked[number]
        is_once = event.posted.request_id is not None and event.posted.event in ONCE
        firsts.setdefault((event.posted.request_id, event.item.pk, event.posted.event) if is_once else number, number)
    return list(firsts.values())


def _row(use_case: UseCase, user: Any, event: CheckedEvent, now: datetime, receipt: UUID) -> FeedbackEvent:
    posted = event.posted
    return FeedbackEvent(
        use_case=use_case.key,
        user_id=str(user.pk),
        event_id=posted.event_id,
        item_id=str(event.item.pk),
        event=posted.event,
        rating=posted.rating,
        request_id=posted.request_id,
        position=event.position,
        occurred_at=as_stored(event.occurred_at),
        received_at=as_stored(now),
        receipt=receipt,
    )


def _tell_host(use_case: UseCase, user: Any, number: int, checked: Mapping[int, CheckedEvent], now: datetime) -> None:
    """Write, or take back, the host's own row.

    Raises:
        InvalidEvents: the host refuses it, or its tables do.
    """
    try:
        _write(use_case, user, number, checked, now)
    except ValidationError as error:
        raise InvalidEvents({number: {"event": error.messages}}) from error
    except IntegrityError as error:
        raise InvalidEvents({number: {"event": ["It cannot be recorded beside what is there already."]}}) from error


def _write(use_case: UseCase, user: Any, number: int, checked: Mapping[int, CheckedEvent], now: datetime) -> None:
    event = checked[number]
    name, at = event.posted.event, as_stored(event.occurred_at)
    if name == RATING:
        use_case.record_rating(user, event.item, event.posted.rating or 0, at)
    elif name in use_case.weights and can_record(use_case):
        use_case.record(user, event.item, name, at)
    elif name in use_case.undo:
        original = use_case.undo[name]
        use_case.undo_event(user, event.item, original)
        done = _ledger(use_case, user).filter(item_id=str(event.item.pk), event=original, undone_at=None)
        taken_back = done.filter(occurred_at__lte=at).exclude(event_id__in=_done_again(number, checked))
        taken_back.update(undone_at=as_stored(now))


def _done_again(number: int, checked: Mapping[int, CheckedEvent]) -> list[str]:
    """Return the ids of what the same post says further on of the same item and moment: that came after."""
    event = checked[number]
    return [
        other.posted.event_id
        for place, other in checked.items()
        if place > number and (other.item.pk, other.occurred_at) == (event.item.pk, event.occurred_at)
    ]


def _ledger(use_case: UseCase, user: Any) -> Any:
    return FeedbackEvent.objects.using(router.db_for_write(FeedbackEvent)).filter(
        use_case=use_case.key, user_id=str(user.pk)
    )


def as_stored(moment: datetime) -> datetime:
    """Return an aware moment as the project's columns hold it."""
    return moment if settings.USE_TZ else timezone.make_naive(moment, timezone.get_default_timezone())


@contextmanager
def _transaction(use_case: UseCase) -> Iterator[None]:
    """Write everything or nothing; where the ledger and the host's tables are in several databases, each by itself."""
    models: list[type[Model]] = [FeedbackEvent, *tables_of(use_case)]
    with ExitStack() as stack:
        for alias in sorted({router.db_for_write(model) for model in models}):
            stack.enter_context(transaction.atomic(using=alias))
        yield
