"""How somebody who has not logged in is known again: a signed session in a cookie, or in a header for programs."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotAuthenticated
from rest_framework.response import Response

from recommender_app.exceptions import RecommenderError
from recommender_app.measurement.anonymous import COOKIE, new_session, session_of, waiting_use_cases
from recommender_app.measurement.checking import OLDEST
from recommender_app.measurement.merging import HOST_ERRORS, merge
from recommender_app.models import AnonymousEvent
from recommender_app.serving.database import DATABASE_ERRORS, savepoint
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.requesters import named_user

logger = logging.getLogger(__name__)

HEADER = "X-Recommender-Session"
SESSION = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description=(
        "For programs that keep no cookies: the session of somebody who has not logged in, as an answer's header of "
        "this name gave it; anything else, such as `new`, begins one. Beside a login it makes the session's events the "
        "user's."
    ),
)


@dataclass(frozen=True)
class Ticket:
    """By what a visitor is known again.

    Attributes:
        session: a random number.
        signed: what the client holds of it.
        has_header: whether the client wants it in the header.
        is_new: whether it was made for this request, so that nobody has shown yet to keep it.
    """

    session: str
    signed: str
    has_header: bool = False
    is_new: bool = False


def ticket_of(request: Any) -> Ticket | None:
    """Return who a request says it is, in the header or else in the cookie; None where we did not sign that."""
    header = request.headers.get(HEADER)
    signed = request.COOKIES.get(COOKIE, "") if header is None else header
    session = session_of(signed) if signed else None
    return None if session is None else Ticket(session, signed, header is not None)


def ticket_or_new(request: Any) -> Ticket:
    """Return who a request says it is; somebody new where it says nothing that we have signed."""
    return ticket_of(request) or Ticket(*new_session(), HEADER in request.headers, is_new=True)


def ticket_of_stranger(use_case: UseCase, request: Any) -> Ticket:
    """Return who asks for a list without a login.

    Raises:
        NotAuthenticated: the request names a user, which is for logins.
    """
    if named_user(use_case, request) is not None:
        raise NotAuthenticated
    return ticket_or_new(request)


def hand_over(ticket: Ticket, request: Any, response: Response) -> Response:
    """Give the client its session, the way it asked for it."""
    if ticket.has_header:
        response[HEADER] = ticket.signed
        return response
    response.set_cookie(
        COOKIE, ticket.signed, max_age=OLDEST, httponly=True, samesite="Lax", secure=request.is_secure()
    )
    return response


def merge_visitor(use_case: UseCase, user: Any, request: Any, response: Response) -> Response:
    """Make what the session of a logged-in request did in a use case the user's; one query where it did nothing.

    Whatever fails, the request's own answer stays: the events wait for the next one. A session that
    nothing waits for has done its part, and its cookie goes.
    """
    ticket = ticket_of(request)
    if ticket is None:
        return response
    try:
        with savepoint(AnonymousEvent, writes=True):
            waiting = set(waiting_use_cases(ticket.session))
            n = merge(use_case, ticket.session, user) if use_case.key in waiting else 0
    except (RecommenderError, *HOST_ERRORS, *DATABASE_ERRORS):
        logger.exception("Events from before a login wait in %s.", use_case.key)
        return response
    if n:
        logger.info("%s events from before a login are recorded in %s.", n, use_case.key)
    if COOKIE in request.COOKIES and waiting <= {use_case.key}:
        response.delete_cookie(COOKIE, samesite="Lax")
    return response
