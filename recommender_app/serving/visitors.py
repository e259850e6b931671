"""What a visitor has done, as the history that engines fold in."""

from __future__ import annotations

from dataclasses import replace

from django.db import router
from django.utils import timezone

from recommender_app.models import AnonymousEvent
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.history import History, history_of
from recommender_app.usecases.rows import microseconds
from recommender_app.usecases.values import usable_ids
from recommender_app.usecases.visitors import Visitor


def visitor_history(use_case: UseCase, visitor: Visitor, limit: int) -> History:
    """Return the history that the session's newest ``limit`` events make, in one query.

    By ``load_history``'s rules: what has no weight in the use case, as impressions and mostly clicks
    have none, teaches nothing. Nothing is hidden from a visitor.
    """
    written = AnonymousEvent.objects.using(router.db_for_write(AnonymousEvent))  # a replica may lag behind the click
    events = written.filter(use_case=use_case.key, session=visitor.session)
    posted = events.filter(event__in=list(use_case.weights)).order_by("-occurred_at", "item_id", "event")
    rows = [
        (item, event, 1.0, at)
        for text, event, at in posted.values_list("item_id", "event", "occurred_at")[:limit]
        for item in usable_ids(use_case, [text])
    ]
    count = len({(item, event) for item, event, _, _ in rows})
    return replace(history_of(use_case, rows, microseconds(timezone.now()), count), hidden_ids=())
