"""Which items are new or were changed lately, as the host's own stamp says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from recommender_app.usecases.declaration import UseCase


def changed_items(use_case: UseCase, since: datetime, limit: int) -> list[tuple[Any, datetime]]:
    """Return (id, ``changed_at``) of items changed at ``since`` or later: the newest ``limit``, newest first.

    One query, which an index on ``changed_at`` answers. Items of equal stamp come by key, so that
    every process cuts in the same place. Nothing where the use case declares no ``changed_at``.

    Args:
        since: aware; included.
    """
    name = use_case.changed_at
    if name is None:
        return []
    if not settings.USE_TZ:
        since = timezone.make_naive(since, timezone.get_default_timezone())
    rows = use_case.items._default_manager.filter(**{f"{name}__gte": since})
    return list(rows.order_by(f"-{name}", "-pk").values_list("pk", name)[:limit])
