"""``recommend``: the one way from a user and a use case to an answer."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

from recommender_app.conf import settings
from recommender_app.dataset.features import Features
from recommender_app.exceptions import RecommenderError
from recommender_app.serving import live, request_log
from recommender_app.serving.answer import Answer
from recommender_app.serving.database import DATABASE_ERRORS, savepoint
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.pipeline import Pipeline, fallback_reason, needs_history
from recommender_app.serving.policies import policy_for
from recommender_app.serving.request import ServingRequest
from recommender_app.serving.router import DATABASE_UNAVAILABLE, EMPTY_CATALOGUE, EngineFlags, Policy, Route, chain
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.hidden import hidden_ids
from recommender_app.usecases.history import History, load_history
from recommender_app.usecases.profiles import load_profile
from recommender_app.usecases.site import get_use_case

logger = logging.getLogger(__name__)


def recommend(user: Any, use_case_key: str, limit: int | None = None) -> Answer:
    """Return what to show ``user``, best first, and log it.

    Never fails because of a model, an artifact or the request log. Where the database cannot be
    read, the answer is empty and its ``fallback_reason`` is "database_unavailable".

    Args:
        user: an instance of the use case's ``users`` model.
        limit: 1..LIMIT_MAX; LIMIT_DEFAULT if None.

    Raises:
        UnknownUseCase: nothing is registered under the key.
        ValueError: the limit is out of range.
    """
    use_case = get_use_case(use_case_key)
    limit = settings.LIMIT_DEFAULT if limit is None else limit
    if not 1 <= limit <= settings.LIMIT_MAX:
        raise ValueError(f"limit must be between 1 and {settings.LIMIT_MAX}, not {limit}.")
    policy = policy_for(use_case.key)
    blank = Answer(uuid4(), use_case.key, str(user.pk), limit, policy=policy.name)
    started = time.perf_counter()
    try:
        with savepoint(use_case.items):
            answer = _computed(blank, use_case, user, policy)
    except DATABASE_ERRORS:
        return unavailable(use_case_key, limit, blank)
    answer = replace(answer, latency_ms=round((time.perf_counter() - started) * 1000, 3))
    request_log.write(answer)
    return answer


def unavailable(use_case_key: str, limit: int, blank: Answer | None = None) -> Answer:
    """Return the empty answer of a request whose database cannot be read; to be called while handling the error.

    Its row is not tried: waiting for the database a second time helps nobody. The loss is recorded.
    """
    answer = replace(blank or Answer(uuid4(), use_case_key, "", limit), fallback_reason=DATABASE_UNAVAILABLE)
    logger.exception("Request %s: the database cannot be read.", answer.request_id)
    request_log.count_loss(answer)
    return answer


def _computed(blank: Answer, use_case: UseCase, user: Any, policy: Policy) -> Answer:
    history = load_history(use_case, user, settings.HISTORY_LIMIT)
    release = live.current(use_case.key)
    pipeline = Pipeline(use_case, user, blank.request_id, blank.limit)
    if release is None:
        route = chain(policy, history.interaction_count, has_history=False, available={})
    else:
        request = _request(use_case, user, history, release)
        route = _route(policy, request, release)
        pipeline.ask(route, request, release)
    pipeline.top_up_with_newest()
    return _answer(replace(blank, interaction_count=history.interaction_count), pipeline, route, release)


def _request(use_case: UseCase, user: Any, history: History, release: LoadedRelease) -> ServingRequest:
    hidden = tuple(hidden_ids(use_case, user))
    return ServingRequest(release.catalogue, history, _profile(use_case, user), hidden)


def _profile(use_case: UseCase, user: Any) -> Features | None:
    """Return the user's features; a declaration that does not fit the data is not the user's fault."""
    try:
        return load_profile(use_case, user)
    except RecommenderError as error:
        logger.error("Serving %s without the user's profile: %s", use_case.key, error)  # noqa: TRY400
        return None


def _route(policy: Policy, request: ServingRequest, release: LoadedRelease) -> Route:
    available = {
        key: EngineFlags(needs_history=needs_history(artifact.engine)) for key, artifact in release.artifacts.items()
    }
    count, damaged = request.history.interaction_count, frozenset(release.problems)
    return chain(policy, count, request.has_history, available, damaged)


def _answer(blank: Answer, pipeline: Pipeline, route: Route, release: LoadedRelease | None) -> Answer:
    results = tuple(pipeline.slate.results)
    number = release.number if release else None
    answer = replace(blank, release=number, results=results, engine_ms=dict(pipeline.slate.engine_ms))
    if not results:
        return replace(answer, fallback_reason=EMPTY_CATALOGUE)
    engine = results[0].source
    return replace(
        answer,
        engine=engine,
        model_version=release.versions.get(engine, "") if release else "",
        fallback_reason=fallback_reason(route, pipeline.slate, results),
    )
