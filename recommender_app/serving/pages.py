"""Stable pages: the first request fixes the order, later ones go on where the last one stopped.

``cursor=first`` asks for a first page that can be continued; its ``next`` cursor holds up to
PAGE_SLATE places less those shown: ids, scores, sources and propensities. A page asks no engine:
it takes the next places and lets the database decide again, so that nothing hidden is shown and
nothing comes twice, whatever release is live by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from recommender_app.conf import settings
from recommender_app.serving.answer import Answer, Result, engine_of
from recommender_app.serving.cursors import Place, Rest, read_cursor, write_cursor
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.pool import PLACED, Candidate
from recommender_app.serving.query import Query
from recommender_app.serving.router import NOT_ENOUGH_ITEMS, PIN_NOT_LOADED, Route
from recommender_app.usecases.eligibility import eligible_items
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
    route: Route,
    release: LoadedRelease | None,
) -> Answer:
    """Return a first page with its cursor; any other answer as it is.

    Args:
        unshown: the slate behind the page, in order; all of it may be shown.
    """
    if not is_first(query):
        return answer
    places = _places(answer, unshown)
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
        experiment=answer.experiment,
        phase=answer.phase,
        arm=answer.arm,
    )
    return _with_next(query, answer, rest)


def continued(query: Query, blank: Answer, rest: Rest) -> Answer:
    """Return a later page: the next places that may still be shown, ranks going on."""
    chosen, left = _taken(query, _usable_places(query, rest.places))
    results = tuple(
        Result(rank, candidate.id, candidate.score, candidate.source, candidate.item, propensity=candidate.propensity)
        for rank, candidate in enumerate(chosen, start=rest.rank)
    )
    engine = engine_of(results)
    answer = replace(
        blank,
        release=rest.release,
        interaction_count=rest.interaction_count,
        policy=rest.policy,
        experiment=rest.experiment,
        phase=rest.phase,
        arm=rest.arm,
        engine=engine,
        model_version=rest.versions.get(engine, ""),
        fallback_reason=_fallback_reason(rest, results),
        results=results,
        slate=rest.slate,
    )
    return _with_next(query, answer, replace(rest, places=tuple(left), rank=rest.rank + len(results)))


def _with_next(query: Query, answer: Answer, rest: Rest) -> Answer:
    return replace(answer, next_cursor=write_cursor(rest, _owner(query)) if rest.places else "")


def _places(answer: Answer, unshown: Sequence[Candidate]) -> tuple[Place, ...]:
    """Return the places behind the page, each item once."""
    shown = {result.id for result in answer.results}
    behind = {each.id: each for each in unshown if each.id not in shown}
    n_wanted = max(settings.PAGE_SLATE - len(shown), 0)
    places = [Place(each.id, each.score, each.source, each.propensity) for each in behind.values()]
    return tuple(places[:n_wanted])


def _usable_places(query: Query, found: Iterable[Place]) -> list[Place]:
    """Return the places with ids in the host's type; a cursor holds those of a foreign kind as text."""
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
                item = items[place.id]
                chosen.append(Candidate(place.id, place.score, place.source, item, propensity=place.propensity))
            if len(chosen) == query.limit:
                return chosen, [*looked_at[position:], *places]
    return chosen, places


def _fallback_reason(rest: Rest, results: Sequence[Result]) -> str:
    sources = {result.source for result in results} - PLACED
    if sources - {rest.primary}:
        return rest.fallback_reason or NOT_ENOUGH_ITEMS
    return PIN_NOT_LOADED if rest.fallback_reason == PIN_NOT_LOADED else ""


def _owner(query: Query) -> tuple[str, str, str]:
    return query.use_case.key, str(query.user.pk), query.filters.key if query.filters else ""
