"""Stable pages: the first request fixes the order, later ones go on where the last one stopped.

``cursor=first`` asks for a first page that can be continued; its ``next`` cursor holds up to
PAGE_SLATE places less those shown, ids only. A page asks no engine: it takes the next places and
lets the database decide again, so that nothing hidden is shown and nothing comes twice, whatever
release is live by then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from recommender_app.conf import settings
from recommender_app.serving.answer import Answer, Result, engine_of
from recommender_app.serving.cursors import Place, Rest, read_cursor, write_cursor
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.pool import PLACED, Candidate, Pool
from recommender_app.serving.query import Query
from recommender_app.serving.router import NEWEST, NOT_ENOUGH_ITEMS, Route
from recommender_app.usecases.eligibility import eligible_items, shown_items
from recommender_app.usecases.values import usable_values

FIRST = "first"


def is_first(query: Query) -> bool:
    """Return whether a query asks for a first page that can be continued."""
    return query.cursor == FIRST


def is_later(query: Query) -> bool:
    """Return whether a query continues a slate."""
    return bool(query.cursor) and not is_first(query)


def n_ahead(query: Query) -> int:
    """Return how many proposals an engine is asked for at least, so that later pages have some."""
    return int(settings.PAGE_SLATE) if is_first(query) else 0


def opened(query: Query) -> Rest:
    """Return what a later page goes on from.

    Raises:
        InvalidCursor: altered, expired, another user's, another use case's or of other filters.
    """
    return read_cursor(query.cursor, _owner(query))


def continuable(
    query: Query,
    answer: Answer,
    unshown: Sequence[Candidate],
    pool: Pool,
    route: Route,
    release: LoadedRelease | None,
) -> Answer:
    """Return a first page with its cursor; any other answer as it is.

    Args:
        unshown: the slate behind the page, in order.
    """
    if not is_first(query):
        return answer
    places = _places_ahead(query, answer, unshown, pool)
    known = release.versions if release else {}
    rest = Rest(
        places,
        rank=len(answer.results) + 1,
        slate=answer.request_id,
        release=answer.release,
        versions={source: known[source] for source in {place.source for place in places} & known.keys()},
        primary=route.primary,
        fallback_reason=answer.fallback_reason,
        interaction_count=answer.interaction_count,
        policy=answer.policy,
    )
    return _with_next(query, answer, rest)


def continued(query: Query, blank: Answer, rest: Rest) -> Answer:
    """Return a later page: the next places that may still be shown, ranks going on."""
    chosen, left = _taken(query, _usable_places(query, rest.places))
    results = tuple(
        Result(rank, candidate.id, candidate.score, candidate.source, candidate.item)
        for rank, candidate in enumerate(chosen, start=rest.rank)
    )
    engine = engine_of(results)
    answer = replace(
        blank,
        release=rest.release,
        interaction_count=rest.interaction_count,
        policy=rest.policy,
        engine=engine,
        model_version=rest.versions.get(engine, ""),
        fallback_reason=_fallback_reason(rest, results),
        results=results,
        slate=rest.slate,
    )
    return _with_next(query, answer, replace(rest, places=tuple(left), rank=rest.rank + len(results)))


def _with_next(query: Query, answer: Answer, rest: Rest) -> Answer:
    return replace(answer, next_cursor=write_cursor(rest, _owner(query)) if rest.places else "")


def _places_ahead(query: Query, answer: Answer, unshown: Sequence[Candidate], pool: Pool) -> tuple[Place, ...]:
    """Return candidates not shown, then proposals beyond the pool, then the newest items; all may be shown.

    A cursor is signed, not secret: whoever unpacks it must find nothing that is hidden from them.
    """
    places = {candidate.id: Place(candidate.id, candidate.score, candidate.source) for candidate in unshown}
    for place in _eligible_ahead(query, pool):
        places.setdefault(place.id, place)
    shown = [result.id for result in answer.results]
    for item_id in shown:
        places.pop(item_id, None)
    n_wanted = max(settings.PAGE_SLATE - len(shown), 0)
    if len(places) < n_wanted:
        newest = _newest_ids(query, n_wanted - len(places), [*shown, *places])
        places.update({item_id: Place(item_id, 0.0, NEWEST) for item_id in newest})
    return tuple(places.values())[:n_wanted]


def _eligible_ahead(query: Query, pool: Pool) -> list[Place]:
    """Return the proposals beyond the pool that may be shown: one query for their keys."""
    proposed = [
        Place(item_id, score, source)
        for source, proposals in pool.ahead.items()
        for item_id, score in pool.unjudged(proposals)
    ]
    places = _usable_places(query, proposed)
    if not places:
        return []
    items = shown_items(query.use_case, query.user, query.filters).filter(pk__in=[place.id for place in places])
    eligible = set(items.order_by().values_list("pk", flat=True))
    return [place for place in places if place.id in eligible]


def _usable_places(query: Query, found: Iterable[Place]) -> list[Place]:
    """Return the places with ids in the host's type; it may be another than the artifact's."""
    key = query.use_case.items._meta.pk
    return [replace(place, id=usable) for place in found for usable in usable_values(key, [place.id])]


def _taken(query: Query, places: list[Place]) -> tuple[list[Candidate], list[Place]]:
    """Return up to ``limit`` candidates that may be shown, and the places behind the last of them."""
    chosen: list[Candidate] = []
    for factor in (*settings.OVERFETCH, len(places)):
        n_looked = (query.limit - len(chosen)) * factor
        looked_at, places = places[:n_looked], places[n_looked:]
        if not looked_at:
            break
        items = eligible_items(query.use_case, query.user, [place.id for place in looked_at], query.filters)
        for position, place in enumerate(looked_at, start=1):
            if place.id in items:
                chosen.append(Candidate(place.id, place.score, place.source, items[place.id]))
            if len(chosen) == query.limit:
                return chosen, [*looked_at[position:], *places]
    return chosen, places


def _newest_ids(query: Query, n: int, known: Collection[Any]) -> Iterable[Any]:
    items = shown_items(query.use_case, query.user, query.filters).exclude(pk__in=list(known))
    ids = items.order_by(*query.use_case.newest_first).values_list("pk", flat=True)
    return dict.fromkeys(ids[:n])


def _fallback_reason(rest: Rest, results: Sequence[Result]) -> str:
    sources = {result.source for result in results} - PLACED
    return (rest.fallback_reason or NOT_ENOUGH_ITEMS) if sources - {rest.primary} else ""


def _owner(query: Query) -> tuple[str, str, str]:
    return query.use_case.key, str(query.user.pk), query.filters.key if query.filters else ""
