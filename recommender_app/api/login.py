"""At login, what was done before it becomes the user's."""

from __future__ import annotations

import logging
from typing import Any

from recommender_app.exceptions import RecommenderError
from recommender_app.measurement.anonymous import COOKIE, session_of, waiting_use_cases
from recommender_app.measurement.merging import HOST_ERRORS, merge
from recommender_app.models import AnonymousEvent
from recommender_app.serving.database import DATABASE_ERRORS, savepoint
from recommender_app.serving.forgotten import is_forgotten
from recommender_app.usecases.requesters import requesting_user
from recommender_app.usecases.site import get_use_case

logger = logging.getLogger(__name__)


def merge_session_of(request: Any) -> None:
    """Merge the events of the session that the request's cookie names; whatever fails, the login goes on.

    A login that has no user in a use case leaves its events: they are deleted after a week.
    """
    signed = request.COOKIES.get(COOKIE)
    session = session_of(signed) if signed else None
    if session is None:
        return
    try:
        with savepoint(AnonymousEvent, writes=True):
            for key in waiting_use_cases(session):
                _merge(key, session, request)
    except DATABASE_ERRORS:
        logger.exception("Events from before a login wait: the database cannot be written.")


def _merge(key: str, session: str, request: Any) -> None:
    try:
        use_case = get_use_case(key)
        user = requesting_user(use_case, request)
        n = 0 if is_forgotten(use_case, user.pk) else merge(use_case, session, user)
    except RecommenderError as error:
        logger.info("Events from before a login wait in %s: %s", key, error)
        return
    except HOST_ERRORS:
        logger.exception("Events from before a login wait in %s: get_user or record fails.", key)
        return
    logger.info("%s events from before a login are recorded in %s.", n, key)
