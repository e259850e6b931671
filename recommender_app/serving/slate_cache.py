"""Optional memory of what the engines proposed (setting SLATE_CACHE_SECONDS), for users who changed nothing since.

The key says everything that the proposals depend on: release and which of its engines are loaded,
policy, filters, user, history, profile, new items. So nothing is ever flushed. Whatever the cache
does, it changes nothing but speed: what may be shown is asked of the database on every hit, and
values are JSON of a known format or they are not there. Lists for new users need no cache: they are
in the artifact.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from itertools import groupby
from typing import Any

import numpy as np
from django.core.exceptions import ValidationError

from recommender_app import conf
from recommender_app.conf import settings
from recommender_app.serving import cache, pages
from recommender_app.serving.cache import PatientCache
from recommender_app.serving.deadline import Deadline
from recommender_app.serving.pipeline import Pipeline
from recommender_app.serving.pool import Candidate, Pool
from recommender_app.serving.request import ServingRequest
from recommender_app.serving.router import BREAKER_OPEN, DEADLINE, ENGINE_FAILED, Policy, Route
from recommender_app.serving.single_flight import fetched

FORMAT = 1
PASSING = {ENGINE_FAILED, DEADLINE, BREAKER_OPEN}  # reasons that may be gone in a second: not to be remembered
WAIT_MS = 100.0  # for another request of the same user that computes the same


def pool_of(pipeline: Pipeline, policy: Policy, route: Route) -> Pool:
    """Return what ``pipeline.ask(route)`` returns, from the cache where it is on and knows."""
    memory = PatientCache(settings.SLATE_CACHE)
    if not settings.SLATE_CACHE_SECONDS or not pipeline.is_cacheable or memory.is_paused:
        return pipeline.ask(route)

    def compute() -> tuple[Pool, str]:
        pool = pipeline.ask(route)
        is_lasting = not PASSING & set(pool.failures.values())
        return pool, written(pool) if is_lasting and pool.candidates else ""

    return fetched(
        memory,
        key_of(pipeline, policy),
        seconds=settings.SLATE_CACHE_SECONDS,
        wait_seconds=wait_seconds(pipeline.deadline),
        accept=lambda text: _filled(pipeline, text),
        compute=compute,
    )


def wait_seconds(deadline: Deadline) -> float:
    """Return how long a request waits for another one's result: what is left must be enough to compute it."""
    return min(WAIT_MS, deadline.remaining_ms() / 2) / 1000


def key_of(pipeline: Pipeline, policy: Policy) -> str:
    """Return the key of a request: the same for the same proposals, in every process."""
    query, release, overlay = pipeline.query, pipeline.release, pipeline.overlay
    laid = [len(overlay.laid), max(overlay.laid.stamps, default=0)] if overlay else []
    asked = [query.use_case.key, str(query.user.pk), query.limit, pages.n_ahead(query), pipeline.has_to_choose]
    asked += [query.filters.key if query.filters else ""]
    # Engines that this process could not open are no other process's affair.
    served = [release.number, sorted(release.versions.items()), sorted(release.artifacts), vars(policy), laid]
    text = json.dumps([FORMAT, asked, served, _stamp(pipeline.request)], default=_as_json, sort_keys=True)
    return f"recommender_slate_{sha256(text.encode()).hexdigest()}"


def written(pool: Pool) -> str:
    """Return a pool as text."""
    candidates = [
        [str(found.id), float(found.score), found.source, bool(found.is_overlay)] for found in pool.candidates
    ]
    ahead = {engine: [[str(item_id), float(score)] for item_id, score in found] for engine, found in pool.ahead.items()}
    return json.dumps([FORMAT, candidates, pool.failures, ahead])


def _filled(pipeline: Pipeline, text: str) -> Pool | None:
    """Return the pipeline's pool with what the text says and the database still lets through; None if too little."""
    to_id = pipeline.query.use_case.items._meta.pk.to_python
    try:
        version, found, failures, ahead = json.loads(text)
        candidates = [
            Candidate(to_id(key), float(score), str(source), None, bool(new)) for key, score, source, new in found
        ]
        further = {engine: [(to_id(key), float(score)) for key, score in rest] for engine, rest in ahead.items()}
        reasons = {str(engine): str(reason) for engine, reason in failures.items()}
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError, ValidationError):
        return None
    if version != FORMAT or not candidates or not np.isfinite([candidate.score for candidate in candidates]).all():
        return None
    pool = Pool(pipeline.pool.wanted, failures=reasons, ahead=further)
    items = pipeline._eligible([candidate.id for candidate in candidates])
    for source, group in groupby(candidates, key=lambda candidate: candidate.source):
        own = list(group)
        laid_over = [candidate.id for candidate in own if candidate.is_overlay]
        pool.take(source, [(candidate.id, candidate.score) for candidate in own], items, laid_over)
    if pool.n_missing and len(pool.candidates) < len(candidates):
        return None  # some were hidden since: the engines know others
    pipeline.pool = pool
    return pool


def _stamp(request: ServingRequest) -> list[Any]:
    """Return what engines know of the user, but for the minutes that have passed."""
    history, profile = request.history, request.profile
    liked = [f"{weight:.2g}" for weight in history.weights.tolist()]  # decay changes them all the time
    done = [list(map(str, history.item_ids)), liked, history.interaction_count, sorted(map(str, request.hidden))]
    return done if profile is None else [*done, profile.texts, profile.terms, profile.numbers.tolist()]


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return sorted(value) if isinstance(value, frozenset | set) else repr(value)


conf.on_reload.append(cache.forget)
