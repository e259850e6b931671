"""From a route to a pool: propose more than asked, let the database decide, top up, never fail."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Container, Mapping, Sequence
from typing import Any
from uuid import UUID

from recommender_app.conf import settings
from recommender_app.engines.batch import RequestBatch
from recommender_app.serving import breakers, pages, pinned_releases
from recommender_app.serving.answer import Result
from recommender_app.serving.deadline import Deadline
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.narrow import FewEligible, best_of_eligible
from recommender_app.serving.overlay import overlay_of
from recommender_app.serving.pool import PLACED, Pool, Proposals
from recommender_app.serving.query import Query
from recommender_app.serving.request import ServingRequest, usable
from recommender_app.serving.router import ENGINE_FAILED, NEWEST, NO_HISTORY, NOT_ENOUGH_ITEMS, Route
from recommender_app.serving.seen import Seen
from recommender_app.usecases.eligibility import newest_eligible

logger = logging.getLogger(__name__)

MOST_TO_CHOOSE_FROM = 500  # bounds what is read of the catalogue where the limit is large


class Pipeline:
    """Fills the pool of one request.

    Args:
        deadline: of the request; None = however long it takes.
    """

    is_cacheable = True
    is_asking = True  # the user waits, see ``Seen``
    has_to_choose = False  # the policy or a rule may put most of the best aside: the pool holds many more

    def __init__(
        self,
        query: Query,
        request_id: UUID,
        request: ServingRequest,
        release: LoadedRelease,
        deadline: Deadline | None = None,
    ) -> None:
        self.query = query
        self.request_id = request_id
        self.request = request
        self.release = release
        self.deadline = deadline or Deadline(math.inf)
        self.pool = Pool(query.limit)
        self.few = FewEligible(query)
        self.seen = Seen(query, request, is_asking=self.is_asking)
        self.overlay = overlay_of(query.use_case, release)

    def ask(self, route: Route) -> Pool:
        """Ask the engines of the route one after the other until the pool is full; return it."""
        for engine in route.engines:
            if not self.pool.n_missing:
                break
            if self._is_refused(engine):
                continue
            n_before = len(self.pool.candidates)
            try:
                self._fill(engine)
            finally:
                self._report(engine)
            if len(self.pool.candidates) == n_before:
                self.pool.failures.setdefault(engine, NOT_ENOUGH_ITEMS)
        return self.pool

    def _is_refused(self, engine: str) -> bool:
        """Tell whether the engine is not asked this time, and note why."""
        reason = breakers.refusal(self.query.use_case.key, self._watched(engine), self.deadline)
        if reason:
            logger.info("Request %s: the engine %s is not asked: %s.", self.request_id, engine, reason)
            self.pool.failures[engine] = reason
        return bool(reason)

    def _report(self, engine: str) -> None:
        """Tell the breaker of an engine that did not fail; a failure was told where it happened."""
        key, failure = self.query.use_case.key, self.pool.failures.get(engine)
        if failure is None and engine in self.pool.engine_ms:
            breakers.succeeded(key, self._watched(engine), self.pool.engine_ms[engine])
        elif failure != ENGINE_FAILED:
            breakers.released(key, self._watched(engine))

    def _watched(self, engine: str) -> str:
        """Return the name of an engine among the breakers: what a release that an arm pins does is its own affair."""
        return pinned_releases.watched_name(self.query.use_case.key, self.release.number, engine)

    def _is_late(self, engine: str) -> bool:
        """Tell whether the engine's next try would come after the deadline; the last rungs have none."""
        return engine not in breakers.LAST_RUNGS and not self.deadline.remaining_ms()

    def _fill(self, engine: str) -> None:
        if self.few.are_known:
            self._score_directly(engine)
            return
        for factor in settings.OVERFETCH:
            n_asked = self.n_asked(factor)
            proposals = self._propose(engine, max(n_asked, pages.n_ahead(self.query)))
            self._take_eligible(engine, proposals[:n_asked])
            self.pool.ahead.setdefault(engine, []).extend(proposals[n_asked:])
            if not self.pool.n_missing or len(proposals) < n_asked or self._is_late(engine):
                break
        else:
            self._score_directly(engine)

    def _score_directly(self, engine: str) -> None:
        """Score everything that may be shown, if that is little: proposing did not meet it."""
        among = self.few.unjudged(self.pool)
        if among:
            n_asked = self.n_asked(settings.OVERFETCH[0])  # more than missing: the arrangement chooses
            self._take_eligible(engine, self._propose(engine, n_asked, among))

    def n_asked(self, factor: int) -> int:
        """Return how many proposals the database is asked about in a try."""
        n_asked = self.pool.n_missing * factor
        return n_asked if not self.has_to_choose else max(n_asked, n_to_choose_from(self.query, self.pool))

    def _take_eligible(self, engine: str, proposals: Proposals) -> None:
        fresh = self.pool.unjudged(proposals)
        if fresh:
            ids = [item_id for item_id, _ in fresh]
            newer = self.overlay.newer_than(engine, ids) if self.overlay else ()
            self.pool.take(engine, fresh, self._eligible(ids), newer)

    def _eligible(self, ids: Sequence[Any]) -> Mapping[Any, Any]:
        """Return {id: item} of those that the database lets through."""
        return self.seen.eligible(ids)

    def _propose(self, engine: str, k: int, among: Sequence[Any] | None = None) -> Proposals:
        """Return up to k proposals of one engine (``among`` these ids); none if it fails, whatever the reason."""
        started = time.perf_counter()
        try:
            return self._candidates(engine, k, among)
        except Exception:
            logger.exception("Request %s: the engine %s failed: %s.", self.request_id, engine, ENGINE_FAILED)
            self.pool.failures[engine] = ENGINE_FAILED
            breakers.failed(self.query.use_case.key, self._watched(engine))
            return []
        finally:
            self.pool.spend(engine, (time.perf_counter() - started) * 1000)

    def _candidates(self, engine: str, k: int, among: Sequence[Any] | None) -> Proposals:
        artifact = self.release.artifacts[engine]
        batch = self.request.batch(engine)
        if needs_history(artifact.engine) and not (batch.history.data > 0).any():
            self.pool.failures[engine] = NO_HISTORY
            return []
        if among is not None:
            return self._laid_over(engine, best_of_eligible(engine, artifact, self.request, among, k), k, set(among))
        n_items = len(artifact.items)
        proposed, their_scores = self._best_of(engine, batch, min(k, n_items))
        rows, scores = usable(proposed, their_scores, n_items)
        return self._laid_over(engine, list(zip(artifact.items.ids(rows), scores.tolist(), strict=True)), k)

    def _laid_over(self, engine: str, proposals: Proposals, k: int, among: Container[Any] | None = None) -> Proposals:
        """Return the proposals with new and changed items among them; those ``among`` these ids only."""
        if self.overlay is None:
            return proposals
        return self.overlay.merged(engine, self.request, proposals, k, among)

    def _best_of(self, engine: str, batch: RequestBatch, k: int) -> tuple[Any, Any]:
        """Return the k best rows of an engine, in its own rows, and their scores; (1, k) each."""
        exclude = self.request.exclusion(engine, self.pool.judged)
        return self.release.artifacts[engine].engine.candidates(batch, k, exclude)


def n_to_choose_from(query: Query, pool: Pool) -> int:
    """Return how many candidates the missing ones are chosen from where caps or rules may put many aside."""
    return max(min(pool.n_missing * settings.OVERFETCH[1], MOST_TO_CHOOSE_FROM), pages.n_ahead(query))


def top_up_with_newest(query: Query, pool: Pool, *, has_to_choose: bool = False) -> None:
    """Fill what is left with the newest eligible items: a full list as long as there are any."""
    if pool.n_missing:
        chosen = [candidate.id for candidate in pool.candidates]
        n = max(pool.n_missing, n_to_choose_from(query, pool)) if has_to_choose else pool.n_missing
        newest = newest_eligible(query.use_case, query.user, n, chosen, query.filters)
        pool.add_unscored(NEWEST, newest)


def needs_history(engine: Any) -> bool:
    """Return whether an engine has nothing to say to a user who liked nothing yet."""
    return engine.uses_history and not engine.covers_new_users


def fallback_reason(route: Route, pool: Pool, results: Sequence[Result]) -> str:
    """Return "" if every result comes from the routed engine, else why others had to answer.

    What a rule or exploration placed counts for neither.
    """
    sources = {result.source for result in results} - PLACED
    if sources <= {route.primary}:
        return ""
    if route.primary in sources:
        return NOT_ENOUGH_ITEMS
    return route.skipped.get(route.primary) or pool.failures.get(route.primary) or NOT_ENOUGH_ITEMS
