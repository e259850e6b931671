"""``recommend_objects``: the host's own objects, in order, for views and templates."""

from __future__ import annotations

import logging
from typing import Any
from uuid import uuid4

from recommender_app.exceptions import UserNotFound
from recommender_app.serving.answer import Answer
from recommender_app.serving.database import DATABASE_ERRORS, guarded, retried
from recommender_app.serving.service import recommend, unavailable
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.requesters import requesting_user
from recommender_app.usecases.robots import counts_in_experiments
from recommender_app.usecases.site import get_use_case
from recommender_app.usecases.visitors import Visitor

logger = logging.getLogger(__name__)

ATTRIBUTE = "recommendation"


class RecommendedObjects(list[Any]):
    """Instances of the use case's ``items`` model, best first; each has a ``recommendation``.

    Attributes:
        answer: what says so (request id, engine, version, ...); None where nobody was asked.
    """

    def __init__(self, answer: Answer | None = None) -> None:
        super().__init__(result.item for result in answer.results) if answer else super().__init__()
        self.answer = answer
        for result in answer.results if answer else ():
            if not hasattr(type(result.item), ATTRIBUTE):  # a model with such a field of its own keeps it
                setattr(result.item, ATTRIBUTE, result)


def recommend_objects(user: Any, use_case_key: str, limit: int | None = None, **options: Any) -> RecommendedObjects:
    """Return the objects to show ``user``, best first, and log that they were.

    ``obj.recommendation`` is the object's ``Result``: ``rank``, ``score``, ``source`` and ``reason``, which
    may be None. Never fails because of a model, an artifact, the request log or the database.

    Args:
        user: an instance of the use case's ``users`` model.
        limit: 1..LIMIT_MAX; LIMIT_DEFAULT if None.
        options: as those of ``recommend``: ``filters``, ``log``, ...

    Raises:
        UnknownUseCase: nothing is registered under the key.
        ValueError: the limit is out of range.
    """
    return RecommendedObjects(recommend(user, use_case_key, limit, **options))


@guarded()
def objects_for_request(
    request: Any, use_case_key: str, limit: int | None = None, *, session: str | None = None
) -> RecommendedObjects:
    """Return the objects to show whoever sent a request; none, and a line in the log, where that is nobody.

    Args:
        session: of somebody who has not logged in; None = not known, so that nothing is logged as shown.

    Raises:
        UnknownUseCase: nothing is registered under the key.
        ValueError: the limit is out of range.
    """
    use_case = get_use_case(use_case_key)
    if use_case.allow_anonymous_lists and not _is_logged_in(request):
        visitor, is_known = Visitor(session or uuid4().hex), session is not None
        counts = is_known and counts_in_experiments(request)
        return recommend_objects(visitor, use_case_key, limit, log=is_known, in_experiments=counts)
    try:
        user = retried(lambda: _requester(use_case, request))
    except DATABASE_ERRORS:
        return RecommendedObjects(unavailable(use_case_key, limit or 0))
    if user is None:
        return RecommendedObjects()
    return recommend_objects(user, use_case_key, limit, in_experiments=counts_in_experiments(request))


def _requester(use_case: UseCase, request: Any) -> Any:
    """Return who is asking, or None where that is nobody of the use case."""
    if not _is_logged_in(request):
        logger.info("No recommendations of %s: nobody is logged in.", use_case.key)
        return None
    try:
        return requesting_user(use_case, request)
    except UserNotFound as error:
        logger.info("No recommendations of %s for account %s: %s", use_case.key, request.user.pk, error)
        return None


def _is_logged_in(request: Any) -> bool:
    return bool(getattr(getattr(request, "user", None), "is_authenticated", False))
