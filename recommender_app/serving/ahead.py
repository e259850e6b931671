"""What later pages of a slate may show beyond the pool of the first one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from recommender_app.conf import settings
from recommender_app.serving.pool import Candidate, Pool
from recommender_app.serving.query import Query
from recommender_app.serving.router import NEWEST
from recommender_app.usecases.eligibility import eligible_items, newest_eligible, newest_ids, shown_items
from recommender_app.usecases.values import usable_values


def candidates_ahead(query: Query, pool: Pool, *, with_items: bool) -> list[Candidate]:
    """Return proposals beyond the pool, then the newest items, so that there are PAGE_SLATE with the pool.

    All of them may be shown: a cursor is signed, not secret, and whoever unpacks it must find
    nothing that is hidden from them. One query, one more for the newest; a third where ``get_items``
    yields an item several times.

    Args:
        with_items: read the items, for whoever arranges them; else their keys alone.
    """
    known = {candidate.id for candidate in pool.candidates}
    found = {each.id: each for each in _proposed(query, pool, with_items) if each.id not in known}
    n_missing = settings.PAGE_SLATE - len(known) - len(found)
    newest = _newest(query, n_missing, [*known, *found], with_items) if n_missing > 0 else {}
    return [*found.values(), *(Candidate(key, 0.0, NEWEST, item) for key, item in newest.items())]


def _proposed(query: Query, pool: Pool, with_items: bool) -> list[Candidate]:
    """Return the proposals that the database was not asked about for the pool and lets through."""
    key = query.use_case.items._meta.pk  # its ids may be of another type than the artifact's
    usable = [
        Candidate(item_id, score, source, None)
        for source, proposals in pool.ahead.items()
        for proposed, score in pool.unjudged(proposals)
        for item_id in usable_values(key, [proposed])
    ]
    eligible = _eligible(query, [each.id for each in usable], with_items) if usable else {}
    return [replace(each, item=eligible[each.id]) for each in usable if each.id in eligible]


def _eligible(query: Query, ids: Sequence[Any], with_items: bool) -> Mapping[Any, Any]:
    if with_items:
        return eligible_items(query.use_case, query.user, ids, query.filters)
    items = shown_items(query.use_case, query.user, query.filters).filter(pk__in=ids)
    return dict.fromkeys(items.order_by().values_list("pk", flat=True))


def _newest(query: Query, n: int, known: Collection[Any], with_items: bool) -> Mapping[Any, Any]:
    if with_items:
        newest = newest_eligible(query.use_case, query.user, n, known, query.filters)
        return {item.pk: item for item in newest}
    items = shown_items(query.use_case, query.user, query.filters).exclude(pk__in=list(known))
    rows = list(items.order_by(*query.use_case.newest_first).values_list("pk", flat=True)[:n])
    if len(set(rows)) < len(rows):  # get_items yields an item several times
        rows = newest_ids(query.use_case, items, n)
    return dict.fromkeys(rows)
