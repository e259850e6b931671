"""``similar_items``: what is like an item, for a user who looks at it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable
from uuid import UUID, uuid4

import numpy as np

from recommender_app.conf import settings
from recommender_app.engines.base import Rows, Scores
from recommender_app.serving import breakers, live, request_log
from recommender_app.serving.answer import Answer, Result
from recommender_app.serving.database import DATABASE_ERRORS, guarded, retried, savepoint
from recommender_app.serving.deadline import Deadline
from recommender_app.serving.forgotten import logged_id
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.overlay import overlay_of
from recommender_app.serving.policies import policy_for
from recommender_app.serving.pool import Pool, Proposals
from recommender_app.serving.query import Query, checked_query
from recommender_app.serving.request import usable
from recommender_app.serving.router import (
    DEADLINE,
    EMPTY_CATALOGUE,
    ENGINE_FAILED,
    NEWEST,
    NO_MODEL,
    NOT_ENOUGH_ITEMS,
    Policy,
)
from recommender_app.serving.service import unavailable
from recommender_app.serving.variety import with_diversity
from recommender_app.usecases.eligibility import eligible_items, newest_eligible
from recommender_app.usecases.filters import Filters
from recommender_app.usecases.items import visible_item_id
from recommender_app.usecases.site import get_use_case

logger = logging.getLogger(__name__)

SIMILAR = "similar"  # candidate_source of the log row

# What people take together says more than what reads alike; content knows items that nobody met yet.
ORDER = ("item_graph", "als", "two_tower", "item_knn", "content_based")


@runtime_checkable
class SimilarByFeatures(Protocol):
    """An engine that finds items similar to one it was not trained on."""

    def similar_encoded(self, encoded: Any, k: int) -> tuple[Rows, Scores]:
        """Return the k known items most similar to each encoded one."""


@guarded()
def similar_items(
    user: Any,
    use_case_key: str,
    item: Any,
    limit: int | None = None,
    *,
    filters: Filters | None = None,
    log: bool = True,
) -> Answer:
    """Return items that are like ``item`` and may be shown to ``user``, most similar first, and log it.

    The engines of ORDER that are loaded and not switched off are asked one after the other, the
    newest items fill up. ``item`` itself is never among the results. Where the database cannot be
    read, the answer is empty, as ``recommend``'s is.

    Args:
        user: an instance of the use case's ``users`` model, or a ``Visitor``.
        item: primary key; text of it will do.
        limit, filters, log: as of ``recommend``.

    Raises:
        UnknownUseCase: nothing is registered under the key.
        ItemNotFound: there is no such item, or ``user`` may not see it.
        ValueError: the limit is out of range.
    """
    query = checked_query(get_use_case(use_case_key), user, limit, filters)
    policy = policy_for(query.use_case.key)
    user_id = logged_id(query.use_case, user)
    blank = Answer(uuid4(), query.use_case.key, user_id, query.limit, policy=policy.name, candidate_source=SIMILAR)
    started, deadline = time.perf_counter(), Deadline(settings.BUDGET_MS)
    try:
        with savepoint(query.use_case.items):
            answer = retried(lambda: _computed(blank, query, item, policy, deadline))
    except DATABASE_ERRORS:
        return unavailable(use_case_key, query.limit, blank)
    answer = replace(answer, latency_ms=round((time.perf_counter() - started) * 1000, 3))
    if log:
        request_log.write(answer)
    return answer


def _computed(blank: Answer, query: Query, item: Any, policy: Policy, deadline: Deadline) -> Answer:
    item_id = visible_item_id(query.use_case, query.user, item)
    release = live.current(query.use_case.key, policy)
    search = Search(query, item_id, blank.request_id, deadline)
    engines = [key for key in ORDER if key not in policy.disabled] if release else []
    if release:
        search.ask(release, [key for key in engines if key in release.artifacts])
    search.top_up()
    results = tuple(
        Result(rank, candidate.id, candidate.score, candidate.source, candidate.item)
        for rank, candidate in enumerate(search.pool.candidates[: query.limit], start=1)
    )
    answer = replace(blank, release=release.number if release else None, engine_ms=dict(search.pool.engine_ms))
    if not results:
        return replace(answer, fallback_reason=EMPTY_CATALOGUE)
    versions: Mapping[str, str] = release.versions if release else {}
    engine = results[0].source
    answer = replace(
        answer,
        engine=engine,
        model_version=versions.get(engine, ""),
        fallback_reason=search.fallback_reason(results),
        results=results,
    )
    return with_diversity(answer, query.use_case, release)


@dataclass
class Search:
    """Fills one list of similar items.

    Attributes:
        query, item_id, request_id, deadline: of the request.
        pool: what was found; the item itself counts as judged from the start.
        asked: engines in order.
    """

    query: Query
    item_id: Any
    request_id: UUID
    deadline: Deadline
    pool: Pool = field(init=False)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pool = Pool(self.query.limit)
        self.pool.judged[self.item_id] = None

    def ask(self, release: LoadedRelease, engines: list[str]) -> None:
        """Ask engines one after the other until the list is full or the time is spent."""
        for key in engines:
            if not self.pool.n_missing or not release.artifacts[key].engine.has_similar_items:
                continue
            self.asked.append(key)
            reason = DEADLINE if not self.deadline.remaining_ms() else self._refusal(key)
            if reason:
                self.pool.failures[key] = reason
                continue
            is_looked_up = False
            try:
                self._fill(release, key)
                is_looked_up = True
            finally:
                self._report(key, is_looked_up=is_looked_up)

    def _report(self, key: str, *, is_looked_up: bool) -> None:
        """Tell the breaker of an engine that did not fail; of one whose list the database lost, nothing is known."""
        if key in self.pool.failures:
            return
        if is_looked_up:
            breakers.succeeded(self.query.use_case.key, _watched(key), self.pool.engine_ms[key])
        else:
            breakers.released(self.query.use_case.key, _watched(key))

    def _refusal(self, key: str) -> str:
        return breakers.refusal(self.query.use_case.key, _watched(key), self.deadline)

    def top_up(self) -> None:
        """Fill what is left with the newest items that may be shown."""
        if self.pool.n_missing:
            query, known = self.query, [self.item_id, *(candidate.id for candidate in self.pool.candidates)]
            newest = newest_eligible(query.use_case, query.user, self.pool.n_missing, known, query.filters)
            self.pool.add_unscored(NEWEST, newest)

    def fallback_reason(self, results: tuple[Result, ...]) -> str:
        """Return "" if every result comes from the first engine that was asked, else why others had to answer."""
        if not self.asked:
            return NO_MODEL
        sources = {result.source for result in results}
        return "" if sources == {self.asked[0]} else self.pool.failures.get(self.asked[0], NOT_ENOUGH_ITEMS)

    def _fill(self, release: LoadedRelease, key: str) -> None:
        for factor in settings.OVERFETCH:
            n_asked = self.pool.n_missing * factor + len(self.pool.judged)
            proposals = self._propose(release, key, n_asked)
            fresh = self.pool.unjudged(proposals)
            if fresh:
                ids = [item_id for item_id, _ in fresh]
                query = self.query
                self.pool.take(key, fresh, eligible_items(query.use_case, query.user, ids, query.filters))
            if not self.pool.n_missing or len(proposals) < n_asked:
                break

    def _propose(self, release: LoadedRelease, key: str, k: int) -> Proposals:
        """Return up to k neighbours by one engine; none if it fails, whatever the reason."""
        started = time.perf_counter()
        try:
            return self._neighbours(release, key, k)
        except Exception:
            logger.exception("Request %s: the engine %s failed: %s.", self.request_id, key, ENGINE_FAILED)
            self.pool.failures[key] = ENGINE_FAILED
            breakers.failed(self.query.use_case.key, _watched(key))
            return []
        finally:
            self.pool.spend(key, (time.perf_counter() - started) * 1000)

    def _neighbours(self, release: LoadedRelease, key: str, k: int) -> Proposals:
        artifact = release.artifacts[key]
        engine: Any = artifact.engine
        n_items = len(artifact.items)
        row = artifact.items.rows([self.item_id])
        overlay = overlay_of(self.query.use_case, release) if isinstance(engine, SimilarByFeatures) else None
        laid_row = overlay.laid.row_of.get(self.item_id) if overlay else None
        if overlay and laid_row is not None:
            found, scores = engine.similar_encoded(overlay.laid.encoded[key][[laid_row]], min(k, n_items))
        elif row[0] >= 0:
            found, scores = engine.similar(row, min(k, n_items))
        else:
            return []
        rows, kept = usable(found, scores, n_items)
        kept = np.asarray(kept)
        return list(zip(artifact.items.ids(rows), kept.tolist(), strict=True))


def _watched(engine: str) -> str:
    """Return the name of an engine's neighbours among the breakers: failing there says nothing about its lists."""
    return f"{engine}.similar"
