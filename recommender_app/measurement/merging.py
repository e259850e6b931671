"""``merge``: what a session did and was shown becomes a user's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import router, transaction

from recommender_app.exceptions import InvalidEvents
from recommender_app.experiments.linking import link
from recommender_app.measurement.anonymous import shown_to_session
from recommender_app.measurement.attribution import Action, Exposure, attribute
from recommender_app.measurement.days import aware
from recommender_app.measurement.deadlocks import past_deadlocks
from recommender_app.measurement.events import PostedEvent
from recommender_app.measurement.recording import record_events
from recommender_app.models import AnonymousEvent
from recommender_app.usecases.declaration import UseCase

# What hooks of the host raise that were written for other requests, or not to the end.
HOST_ERRORS = (PermissionDenied, ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
_CHUNK = 500


def merge(use_case: UseCase, session: str, user: Any) -> int:
    """Make the events of a session, and the lists that it was shown, those of ``user``; return how many events.

    They pass the checks of any event again: what the user may not see, or what is older than a
    week, is dropped. A session merges once; its rows go.
    """
    return past_deadlocks(lambda: _merged(use_case, session, user))


def _merged(use_case: UseCase, session: str, user: Any) -> int:
    with transaction.atomic(using=router.db_for_write(AnonymousEvent)):
        link(use_case, session, user)
        answers = shown_to_session(session, [use_case.key])
        shown = list(answers.select_for_update().order_by("pk").values_list("request_id", "results", "created_at"))
        answers.update(user_id=str(user.pk))
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
        Exposure(str(request_id), "", str(result["item"]), aware(created_at))
        for request_id, results, created_at in shown
        for result in results
    ]
    actions = [Action("", row.item_id, aware(row.occurred_at)) for row in rows]
    due_to = attribute(actions, exposures, use_case.attribution_window)
    return [
        PostedEvent(row.event_id, row.item_id, row.event, action.at, UUID(request_id) if request_id else None)
        for row, action, request_id in zip(rows, actions, due_to, strict=True)
    ]


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
