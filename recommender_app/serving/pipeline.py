"""From a route to a slate: propose more than asked, let the database decide, top up, never fail."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from recommender_app.conf import settings
from recommender_app.serving.answer import Result
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.request import ServingRequest, usable
from recommender_app.serving.router import ENGINE_FAILED, NEWEST, NO_HISTORY, NOT_ENOUGH_ITEMS, Route
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.eligibility import eligible_items, newest_eligible

logger = logging.getLogger(__name__)

Proposals = list[tuple[Any, float]]  # (external id, score), best first


@dataclass
class Slate:
    """The list under construction.

    Attributes:
        limit: how many are wanted.
        results: so far; unique, all eligible.
        judged: external ids that the database has already decided on.
        failures: {engine: fallback reason} of engines that were asked and gave nothing.
        engine_ms: {engine: milliseconds} spent in each engine.
    """

    limit: int
    results: list[Result] = field(default_factory=list)
    judged: dict[Any, None] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    engine_ms: dict[str, float] = field(default_factory=dict)

    @property
    def n_missing(self) -> int:
        """How many places are still empty."""
        return self.limit - len(self.results)

    def add(self, item_id: Any, score: float, source: str, item: Any) -> None:
        """Append an item that may be shown and is not yet in the list."""
        self.results.append(Result(len(self.results) + 1, item_id, score, source, item))


class Pipeline:
    """Fills one slate for one user."""

    def __init__(self, use_case: UseCase, user: Any, request_id: UUID, limit: int) -> None:
        self.use_case = use_case
        self.user = user
        self.request_id = request_id
        self.slate = Slate(limit)

    def ask(self, route: Route, request: ServingRequest, release: LoadedRelease) -> None:
        """Ask the engines of the route one after the other until the slate is full."""
        for engine in route.engines:
            if not self.slate.n_missing:
                break
            n_before = len(self.slate.results)
            self._fill(engine, request, release)
            if len(self.slate.results) == n_before:
                self.slate.failures.setdefault(engine, NOT_ENOUGH_ITEMS)

    def top_up_with_newest(self) -> None:
        """Fill what is left with the newest eligible items: a full list as long as there are any."""
        if not self.slate.n_missing:
            return
        chosen = [result.id for result in self.slate.results]
        for item in newest_eligible(self.use_case, self.user, self.slate.n_missing, chosen):
            self.slate.add(item.pk, 0.0, NEWEST, item)

    def _fill(self, engine: str, request: ServingRequest, release: LoadedRelease) -> None:
        for factor in settings.OVERFETCH:
            n_asked = self.slate.n_missing * factor
            proposals = self._propose(engine, request, release, n_asked)
            self._take_eligible(engine, proposals)
            if not self.slate.n_missing or len(proposals) < n_asked:
                break

    def _take_eligible(self, engine: str, proposals: Proposals) -> None:
        fresh = [(item_id, score) for item_id, score in proposals if item_id not in self.slate.judged]
        if not fresh:
            return
        eligible = eligible_items(self.use_case, self.user, [item_id for item_id, _ in fresh])
        self.slate.judged.update(dict.fromkeys(item_id for item_id, _ in fresh))
        for item_id, score in [(item_id, score) for item_id, score in fresh if item_id in eligible]:
            if self.slate.n_missing:
                self.slate.add(item_id, score, engine, eligible[item_id])

    def _propose(self, engine: str, request: ServingRequest, release: LoadedRelease, k: int) -> Proposals:
        """Return up to k proposals of one engine; none if it fails, whatever the reason."""
        started = time.perf_counter()
        try:
            return self._candidates(engine, request, release, k)
        except Exception:
            logger.exception("Request %s: the engine %s failed.", self.request_id, engine)
            self.slate.failures[engine] = ENGINE_FAILED
            return []
        finally:
            spent = (time.perf_counter() - started) * 1000
            self.slate.engine_ms[engine] = round(self.slate.engine_ms.get(engine, 0.0) + spent, 3)

    def _candidates(self, engine: str, request: ServingRequest, release: LoadedRelease, k: int) -> Proposals:
        artifact = release.artifacts[engine]
        batch = request.batch(engine)
        if needs_history(artifact.engine) and not batch.positive_history().nnz:
            self.slate.failures[engine] = NO_HISTORY
            return []
        n_items = len(artifact.items)
        exclude = request.exclusion(engine, self.slate.judged)
        proposed, their_scores = artifact.engine.candidates(batch, min(k, n_items), exclude)
        rows, scores = usable(proposed, their_scores, n_items)
        return list(zip(artifact.items.ids(rows), scores.tolist(), strict=True))


def needs_history(engine: Any) -> bool:
    """Return whether an engine has nothing to say to a user who liked nothing yet."""
    return engine.uses_history and not engine.covers_new_users


def fallback_reason(route: Route, slate: Slate, results: Sequence[Result]) -> str:
    """Return "" if every result comes from the routed engine, else why others had to answer."""
    sources = {result.source for result in results}
    if sources == {route.primary}:
        return ""
    if route.primary in sources:
        return NOT_ENOUGH_ITEMS
    return route.skipped.get(route.primary) or slate.failures.get(route.primary) or NOT_ENOUGH_ITEMS
