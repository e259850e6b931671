"""What users did: events that clients posted, before a login too, and interactions that the host's own views wrote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from recommender_app.measurement.attribution import Action
from recommender_app.measurement.days import aware, stored
from recommender_app.measurement.row_values import moment_of, values_of
from recommender_app.models import AnonymousEvent, FeedbackEvent
from recommender_app.registry.database import alias
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.rows import EVENT, ITEM, TIME, USER, interaction_rows
from recommender_app.usecases.values import usable_values
from recommender_app.usecases.visitors import PREFIX, Visitor


class Deed(NamedTuple):
    """An action, and what it was."""

    action: Action
    event: str
    rating: int | None = None


FETCHED = 2_000  # rows at a time

Deeds = dict[str, list[Deed]]  # external id of the user -> what they did


def deeds_of(
    use_case: UseCase, user_ids: Collection[str], since: datetime, until: datetime, until_posted: datetime
) -> Deeds:
    """Return what some users did: a query for posted events, one for visitors', one for each of the host's tables.

    What was undone has not happened. An interaction that ``record`` wrote for a posted event is
    that event, and not counted again: same user, item, event and moment.

    Args:
        until: of the host's interactions, left out itself.
        until_posted: of posted events, which may name an answer of long ago.
    """
    deeds: defaultdict[str, list[Deed]] = defaultdict(list)
    known = set()
    for deed, is_undone in _posted(use_case, user_ids, since, until_posted):
        known.add(_identity(deed))
        if not is_undone:
            deeds[deed.action.user_id].append(deed)
    for deed in _of_visitors(use_case, user_ids, since, until_posted):
        deeds[deed.action.user_id].append(deed)
    for deed in _of_host(use_case, user_ids, since, until):
        if _identity(deed) not in known:
            deeds[deed.action.user_id].append(deed)
    return dict(deeds)


def active_users(use_case: UseCase, since: datetime, until: datetime, until_posted: datetime) -> set[str]:
    """Return everybody of whom ``deeds_of`` may know something: about 100 MB of memory a million."""
    posted = _ledger(use_case, since, until_posted).values_list("user_id", flat=True)
    active = set(posted.distinct().iterator())
    sessions = _before_login(use_case, since, until_posted).values_list("session", flat=True)
    active.update(Visitor(session).pk for session in sessions.distinct().iterator())
    for rows in _interactions(use_case, since, until):
        active.update(map(str, rows.values_list(USER, flat=True).distinct().iterator()))
    return active


def _identity(deed: Deed) -> tuple[Any, ...]:
    action = deed.action
    return action.user_id, action.item_id, deed.event, action.at


def _posted(
    use_case: UseCase, user_ids: Collection[str], since: datetime, until: datetime
) -> Iterator[tuple[Deed, bool]]:
    rows = _ledger(use_case, since, until).filter(user_id__in=user_ids)
    values = values_of(rows, "occurred_at", "user_id", "item_id", "request_id", "event", "rating", "undone_at")
    for at, user_id, item_id, request_id, event, rating, undone_at in values.iterator(chunk_size=FETCHED):
        action = Action(user_id, item_id, moment_of(at), str(request_id) if request_id else None)
        yield Deed(action, event, rating), undone_at is not None


def _of_visitors(use_case: UseCase, user_ids: Collection[str], since: datetime, until: datetime) -> Iterator[Deed]:
    """Yield what visitors did; no query without any. It is due to the last answer that showed the item."""
    sessions = [user_id.removeprefix(PREFIX) for user_id in user_ids if user_id.startswith(PREFIX)]
    if sessions:
        rows = _before_login(use_case, since, until).filter(session__in=sessions)
        for session, item_id, at, event in rows.values_list("session", "item_id", "occurred_at", "event"):
            yield Deed(Action(Visitor(session).pk, item_id, aware(at)), event)


def _of_host(use_case: UseCase, user_ids: Collection[str], since: datetime, until: datetime) -> Iterator[Deed]:
    keys = usable_values(use_case.users._meta.pk, user_ids)
    for rows in _interactions(use_case, since, until):
        of_users = rows.filter(**{f"{USER}__in": keys})
        for user, item, event, at in of_users.values_list(USER, ITEM, EVENT, TIME):
            yield Deed(Action(str(user), str(item), aware(at)), event)


def _ledger(use_case: UseCase, since: datetime, until: datetime) -> QuerySet[FeedbackEvent]:
    rows = FeedbackEvent.objects.using(alias()).filter(use_case=use_case.key)
    return rows.filter(occurred_at__gte=stored(since), occurred_at__lt=stored(until)).order_by()


def _before_login(use_case: UseCase, since: datetime, until: datetime) -> QuerySet[AnonymousEvent]:
    rows = AnonymousEvent.objects.using(alias()).filter(use_case=use_case.key)
    return rows.filter(occurred_at__gte=stored(since), occurred_at__lt=stored(until)).order_by()


def _interactions(use_case: UseCase, since: datetime, until: datetime) -> Iterator[QuerySet[Any]]:
    events = dict.fromkeys((*use_case.weights, *use_case.conversions))
    within = {f"{TIME}__gte": stored(since), f"{TIME}__lt": stored(until)}
    for source in use_case.sources:
        yield interaction_rows(source, tuple(events)).filter(**within)
