"""The queries of an export: everything in chunks, nothing held whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from django.conf import settings as django_settings
from django.db.models import QuerySet
from django.utils import timezone

from recommender_app.dataset.features import Features
from recommender_app.dataset.ids import IdMap
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.profiles import ProfileFields, build_features, load_features
from recommender_app.usecases.rows import EVENT, ITEM, STRENGTH, TIME, USER, interaction_rows

Window = tuple[datetime | None, datetime | None]  # since (included), until (left out)


def interaction_sources(use_case: UseCase, window: Window) -> Iterator[QuerySet[Any]]:
    """Yield the rows of each source inside a window; see ``interaction_rows`` for their columns."""
    since, until = window
    for source in use_case.sources:
        rows = interaction_rows(source, tuple(use_case.weights))
        if since is not None:
            rows = rows.filter(**{f"{TIME}__gte": since})
        if until is not None:
            rows = rows.filter(**{f"{TIME}__lt": until})
        yield rows


def count_rows(use_case: UseCase, window: Window) -> int:
    """Return how many interactions ``read_rows`` will yield."""
    return sum(rows.count() for rows in interaction_sources(use_case, window))


def read_rows(use_case: UseCase, window: Window, chunk_size: int) -> Iterator[list[tuple[Any, ...]]]:
    """Yield chunks of (user id, item id, event, strength, time), in any order."""
    for rows in interaction_sources(use_case, window):
        columns = rows.values_list(USER, ITEM, EVENT, STRENGTH, TIME)
        yield from _chunks(columns.iterator(chunk_size=chunk_size), chunk_size)


def read_item_ids(use_case: UseCase, chunk_size: int) -> Iterator[list[Any]]:
    """Yield chunks of the keys of all items that exist, interacted with or not."""
    keys = use_case.items._default_manager.order_by().values_list("pk", flat=True)
    yield from _chunks(keys.iterator(chunk_size=chunk_size), chunk_size)


def read_young_users(use_case: UseCase, since: datetime, chunk_size: int) -> Iterator[list[Any]]:
    """Yield chunks of the keys of users whose ``joined_at`` is after ``since``; without one, nobody is young."""
    if not django_settings.USE_TZ:
        since = timezone.make_naive(since, timezone.get_default_timezone())
    young = use_case.users._default_manager.order_by().filter(**{f"{use_case.joined_at}__gt": since})
    yield from _chunks(young.values_list("pk", flat=True).iterator(chunk_size=chunk_size), chunk_size)


def read_features(fields: ProfileFields, ids: IdMap, chunk_size: int) -> Iterator[Features]:
    """Yield features of every row of an id map, in the order of its rows."""
    for start in range(0, len(ids), chunk_size):
        rows = range(start, min(start + chunk_size, len(ids)))
        yield load_features(fields, ids.ids(rows)) if fields.lookups else build_features(fields, [{}] * len(rows))


def _chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rows = iter(rows)
    while chunk := list(islice(rows, size)):
        yield chunk
