"""``recommend``: the one way from a user and a use case to an answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from recommender_app.conf import settings
from recommender_app.dataset.features import Features
from recommender_app.exceptions import RecommenderError
from recommender_app.experiments.assigning import Assigned
from recommender_app.serving import arms, live, pages, request_log, slate_cache
from recommender_app.serving.ahead import candidates_ahead
from recommender_app.serving.answer import Answer, Result, engine_of
from recommender_app.serving.arranging.slate import as_proposed, chooses, rearranges, slate_of
from recommender_app.serving.cursors import Rest
from recommender_app.serving.database import DATABASE_ERRORS, guarded, retried, savepoint
from recommender_app.serving.deadline import Deadline
from recommender_app.serving.explaining import explained
from recommender_app.serving.forgotten import history_of_user, is_forgotten, logged_id
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.pipeline import Pipeline, fallback_reason, needs_history, top_up_with_newest
from recommender_app.serving.policies import policy_for
from recommender_app.serving.pool import Candidate, Pool
from recommender_app.serving.query import Query, checked_query
from recommender_app.serving.request import ServingRequest
from recommender_app.serving.router import (
    BREAKER_OPEN,
    DATABASE_UNAVAILABLE,
    DEADLINE,
    EMPTY_CATALOGUE,
    ENGINE_FAILED,
    EngineFlags,
    Policy,
    Route,
    chain,
)
from recommender_app.serving.variety import with_diversity
from recommender_app.serving.weighting import as_decided
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.filters import Filters
from recommender_app.usecases.hidden import hidden_ids
from recommender_app.usecases.history import History
from recommender_app.usecases.profiles import load_profile
from recommender_app.usecases.site import get_use_case
from recommender_app.usecases.visitors import Visitor

logger = logging.getLogger(__name__)


@guarded()
def recommend(
    user: Any,
    use_case_key: str,
    limit: int | None = None,
    *,
    filters: Filters | None = None,
    cursor: str = "",
    log: bool = True,
    in_experiments: bool = True,
) -> Answer:
    """Return what to show ``user``, best first, and log it.

    Never fails because of a model, an artifact or the request log. Where the database cannot be
    read, the answer is empty and its ``fallback_reason`` is "database_unavailable".

    Args:
        user: an instance of the use case's ``users`` model, or a ``Visitor``.
        limit: 1..LIMIT_MAX; LIMIT_DEFAULT if None.
        filters: what the items are narrowed down to (``usecases.filters.parse_filters``); None = nothing.
        cursor: "" = one list; "first" = a first page; an answer's ``next_cursor`` = the page after it.
        log: whether the answer is an exposure; False for previews, which nobody is shown.
        in_experiments: False for whoever counts in none (bots, staff): the policy in force answers.

    Raises:
        UnknownUseCase: nothing is registered under the key.
        InvalidCursor: the cursor was altered, has expired, or is of another user, use case or filters.
        ValueError: the limit is out of range.
    """
    query = checked_query(get_use_case(use_case_key), user, limit, filters, cursor)
    rest = pages.opened(query) if pages.is_later(query) else None
    policy = policy_for(query.use_case.key)
    user_id = logged_id(query.use_case, user)
    blank = Answer(uuid4(), query.use_case.key, user_id, query.limit, policy=policy.name)
    started, deadline = time.perf_counter(), Deadline(settings.BUDGET_MS)

    def arm_of(interaction_count: int) -> Assigned | None:
        nonlocal blank  # an answer that fails from here on is logged with the arm, too
        found = arms.arm_for(query, user_id, interaction_count, writes=log) if in_experiments else None
        blank = _in_arm(blank, found) if found else blank
        return found

    def compute() -> Answer:
        return _later_page(blank, query, rest) if rest else _computed(blank, query, policy, deadline, arm_of)

    try:
        with savepoint(query.use_case.items):
            answer = retried(compute)
    except DATABASE_ERRORS:
        if in_experiments and not (rest or blank.arm):
            arms.note_unasked(query)
        return unavailable(use_case_key, query.limit, blank)
    answer = replace(answer, latency_ms=round((time.perf_counter() - started) * 1000, 3))
    if log:
        request_log.write(answer)
    return answer


def unavailable(use_case_key: str, limit: int, blank: Answer | None = None) -> Answer:
    """Return the empty answer of a request whose database cannot be read; to be called while handling the error.

    Its row goes to the spool: waiting for the database a second time helps nobody.
    """
    answer = replace(blank or Answer(uuid4(), use_case_key, "", limit), fallback_reason=DATABASE_UNAVAILABLE)
    logger.exception("Request %s: the database cannot be read.", answer.request_id)
    request_log.write_later(answer)
    return answer


def _computed(
    blank: Answer, query: Query, policy: Policy, deadline: Deadline, arm_of: Callable[[int], Assigned | None]
) -> Answer:
    release = live.current(query.use_case.key)  # may load: what the user does meanwhile still counts
    history = history_of_user(query.use_case, query.user)
    blank = replace(blank, interaction_count=history.interaction_count)
    found = arm_of(history.interaction_count)
    if found:
        policy = arms.policy_of(query.use_case.key, found)
        release, problem = arms.release_of(query.use_case.key, found, release)
        blank = replace(_in_arm(blank, found), policy=policy.name, fallback_reason=problem)
    if release is None:
        return _explained(query, answered(blank, query, policy, None), None)
    release = as_decided(release, policy)
    pipeline = Pipeline(query, blank.request_id, _request(query, history, release), release, deadline)
    return _explained(query, answered(blank, query, policy, pipeline), pipeline)


def _in_arm(blank: Answer, found: Assigned) -> Answer:
    return replace(blank, experiment=found.experiment, phase=found.phase, arm=found.arm)


def _later_page(blank: Answer, query: Query, rest: Rest) -> Answer:
    """Return a page of a slate; its engines give their reasons as long as their release is live."""
    answer = pages.continued(query, blank, rest)
    found = arms.arm_named(query.use_case.key, answer.experiment, answer.phase, answer.arm)
    release, _ = arms.release_of(query.use_case.key, found, live.current(query.use_case.key))
    answer = with_diversity(answer, query.use_case, release)
    if release is None or release.number != rest.release or not settings.EXPLANATIONS:
        return _explained(query, answer, None)
    release = as_decided(release, arms.policy_of(query.use_case.key, found))
    history = history_of_user(query.use_case, query.user)
    return _explained(query, answer, Pipeline(query, blank.request_id, _request(query, history, release), release))


def _explained(query: Query, answer: Answer, pipeline: Pipeline | None) -> Answer:
    """Return the answer with a reason for each result."""
    if pipeline is None:
        results = explained(query.use_case, query.user, None, None, None, answer.results)
    else:
        request, release, overlay = pipeline.request, pipeline.release, pipeline.overlay
        results = explained(query.use_case, query.user, request, release, overlay, answer.results, pipeline.seen)
    return replace(answer, results=results)


def answered(blank: Answer, query: Query, policy: Policy, pipeline: Pipeline | None) -> Answer:
    """Return the answer to a user whose history is read: one request, or one of a batch of lists.

    Args:
        pipeline: of the live release; None where nothing is live.
    """
    release = pipeline.release if pipeline else None
    has_to_choose = chooses(query, policy)
    if pipeline is None:
        route = chain(policy, blank.interaction_count, has_history=False, available={})
        pool = Pool(query.limit)
    else:
        route = route_of(policy, pipeline.request, pipeline.release)
        pipeline.has_to_choose = has_to_choose
        pool = slate_cache.pool_of(pipeline, policy, route)
    top_up_with_newest(query, pool, has_to_choose=has_to_choose)
    slate = _arranged(query, policy, pool, blank.request_id, pipeline)
    answer = _answer(blank, _results(slate[: query.limit]), pool, route, release)
    answer = with_diversity(answer, query.use_case, release)
    _log_fallback(answer, route)
    return pages.continuable(query, answer, slate[query.limit :], route, release)


def _log_fallback(answer: Answer, route: Route) -> None:
    """Say why others answer; of an engine that was asked and failed, or was refused, the pipeline has said it."""
    if answer.fallback_reason and answer.fallback_reason not in (ENGINE_FAILED, DEADLINE, BREAKER_OPEN):
        logger.info(
            "Request %s: %s answers, %s was routed: %s.",
            answer.request_id,
            answer.engine,
            route.primary,
            answer.fallback_reason,
        )


def _arranged(query: Query, policy: Policy, pool: Pool, request_id: UUID, pipeline: Pipeline | None) -> list[Candidate]:
    """Return which candidates are shown, in which order; on a first page, those of later pages too."""
    history = pipeline.request.history if pipeline else None
    artifacts = pipeline.release.artifacts if pipeline else {}
    ahead = candidates_ahead(query, pool, with_items=rearranges(query, policy)) if pages.is_first(query) else None
    try:
        return slate_of(query, policy, pool.candidates, request_id, history, artifacts, ahead)
    except DATABASE_ERRORS:
        raise
    except Exception:  # a rule or a model that nobody foresaw costs the order, not the answer
        logger.exception("Request %s: the list cannot be arranged; the engines' order is shown.", request_id)
        return as_proposed(pool.candidates, ahead or (), query.limit)


def _results(chosen: Sequence[Candidate]) -> tuple[Result, ...]:
    return tuple(
        Result(rank, candidate.id, candidate.score, candidate.source, candidate.item, propensity=candidate.propensity)
        for rank, candidate in enumerate(chosen, start=1)
    )


def _request(query: Query, history: History, release: LoadedRelease) -> ServingRequest:
    hidden = history.hidden_ids  # of most users, read with the history
    if hidden is None:
        hidden = tuple(hidden_ids(query.use_case, query.user))
    if query.filters and query.filters.excluded:
        hidden = (*hidden, *query.filters.excluded)
    return ServingRequest(release.catalogue, history, profile_of(query.use_case, query.user), hidden)


def profile_of(use_case: UseCase, user: Any) -> Features | None:
    """Return the user's features; a declaration that does not fit the data is not the user's fault."""
    if isinstance(user, Visitor) or is_forgotten(use_case, user.pk):
        return None
    try:
        return load_profile(use_case, user)
    except RecommenderError as error:
        logger.error("Serving %s without the user's profile: %s", use_case.key, error)  # noqa: TRY400
        return None


def route_of(policy: Policy, request: ServingRequest, release: LoadedRelease) -> Route:
    """Return which engines of a release are asked for a request, in which order."""
    available = {
        key: EngineFlags(needs_history=needs_history(artifact.engine)) for key, artifact in release.artifacts.items()
    }
    count, damaged = request.history.interaction_count, frozenset(release.problems)
    return chain(policy, count, request.has_history, available, damaged)


def _answer(
    blank: Answer, results: tuple[Result, ...], pool: Pool, route: Route, release: LoadedRelease | None
) -> Answer:
    number = release.number if release else None
    answer = replace(blank, release=number, results=results, engine_ms=dict(pool.engine_ms))
    if not results:
        return replace(answer, fallback_reason=EMPTY_CATALOGUE)
    engine = engine_of(results)
    return replace(
        answer,
        engine=engine,
        model_version=release.versions.get(engine, "") if release else "",
        fallback_reason=fallback_reason(route, pool, results) or blank.fallback_reason,
    )
