"""The endpoint: authenticate, check, ask ``recommend``, render."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from django.db import connections, transaction
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommender_app.api.answers import AnswerSerializer, answer_as_json
from recommender_app.api.description import SchemaWhenAsked, described
from recommender_app.api.errors import ERROR_RESPONSES, as_http_error, error_response
from recommender_app.api.parameters import EXCLUDE, FOR_USER, FilterParameters, RecommendationParameters, plain
from recommender_app.api.parsing import StrictJSONParser
from recommender_app.api.permissions import MayVisit, is_logged_in, listed_user
from recommender_app.api.rendering import AlwaysFirst, FiniteJSONRenderer
from recommender_app.api.throttling import AnonymousListThrottle, RecommendationThrottle, refusals
from recommender_app.api.visitors import SESSION, Ticket, hand_over, ticket_of_stranger
from recommender_app.serving.answer import Answer
from recommender_app.serving.database import DATABASE_ERRORS, guarded, retried
from recommender_app.serving.service import recommend, unavailable
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.filters import parse_filters
from recommender_app.usecases.robots import counts_in_experiments
from recommender_app.usecases.site import get_use_case
from recommender_app.usecases.visitors import Visitor


class RecommenderView(APIView):
    """What all our endpoints share. How a client logs in is the host's decision (DRF's defaults)."""

    schema: Any = SchemaWhenAsked()
    permission_classes = [IsAuthenticated]
    parser_classes = [StrictJSONParser]
    renderer_classes = [FiniteJSONRenderer]
    content_negotiation_class = AlwaysFirst
    versioning_class = None

    def get_authenticate_header(self, request: Request) -> str:
        """Return a challenge, so that DRF says 401 and not 403 to whoever is not logged in."""
        return super().get_authenticate_header(request) or "Session"

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> NoReturn:
        """Say 401 to whoever is not logged in, even in a host without any way to log in."""
        if not request.user or not request.user.is_authenticated:
            raise NotAuthenticated
        super().permission_denied(request, message, code)

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, outside the host's ATOMIC_REQUESTS: whoever opens that transaction knows no 503."""
        view = super().as_view(**initkwargs)
        for alias in connections:
            view = transaction.non_atomic_requests(alias)(view)
        return view

    @guarded()
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer, without waiting again and again for a database that cannot be reached."""
        return super().dispatch(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        """Log in; a second time where the first met a dead connection."""
        retried(lambda: super(RecommenderView, self).perform_authentication(request))

    def check_throttles(self, request: Request) -> None:
        """Refuse what is beyond any rate, with the longest time to wait; what is refused counts under none."""
        refusing = refusals(self.get_throttles(), request, self)
        if refusing:
            waits = [wait for wait in (throttle.wait() for throttle in refusing) if wait is not None]
            self.throttled(request, max(waits, default=None))  # type: ignore[arg-type]

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the response for this requester alone: a cache of the site or on the way must not keep it."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers.setdefault("Cache-Control", "private, no-store")
        return final

    def handle_exception(self, exc: Exception) -> Response:
        """Turn our errors into HTTP's."""
        return super().handle_exception(as_http_error(exc))

    def get_exception_handler(self) -> Any:
        """Return ours: errors look as documented in every host."""
        return error_response


class RecommendationView(RecommenderView):
    """Recommendations for the requester."""

    permission_classes = [MayVisit]
    throttle_classes = [RecommendationThrottle, AnonymousListThrottle]

    @described(
        operation_id="recommendations_list",
        summary="Recommendations for the requester",
        description=(
            "Up to `limit` items that the requester may be shown and that pass the filters, best first. Answers 200 "
            "also where no model can: `engine` and `fallback_reason` then say what happened. Where the use case allows "
            "it, a visitor needs no login: the list is made from what the session did, for most what is popular or new."
        ),
        tags=["recommendations"],
        parameters=[
            OpenApiParameter("use_case", str, OpenApiParameter.PATH, description="Key of a declared use case."),
            RecommendationParameters,
            EXCLUDE,
            FilterParameters,
            FOR_USER,
            SESSION,
        ],
        responses={200: AnswerSerializer, **ERROR_RESPONSES},
    )
    def get(self, request: Request, use_case: str) -> Response:
        """Answer one request."""
        declared = get_use_case(use_case)
        parameters = RecommendationParameters(data=plain(request.query_params))
        parameters.is_valid(raise_exception=True)
        ticket = None if is_logged_in(request) else ticket_of_stranger(declared, request)
        answer = self._answer(declared, ticket, **parameters.validated_data)
        response = Response(answer_as_json(answer, declared, {"request": request, "view": self}))
        return hand_over(ticket, request, response) if ticket else response

    def _answer(
        self, use_case: UseCase, ticket: Ticket | None, limit: int, cursor: str, exclude: Sequence[str]
    ) -> Answer:
        request: Any = self.request
        try:
            filters = parse_filters(use_case, dict(request.query_params.lists()), request).without(use_case, exclude)
            if ticket:
                user, is_own = Visitor(ticket.session), True
            else:
                user, is_own = retried(lambda: listed_user(use_case, request))
        except DATABASE_ERRORS:
            return unavailable(use_case.key, limit)
        is_kept = ticket is None or not ticket.is_new  # a session that is never brought back is no unit
        counts = is_kept and counts_in_experiments(request)
        return recommend(
            user,
            use_case.key,
            limit,
            filters=filters,
            cursor=cursor,
            log=is_own and is_shown(request),
            in_experiments=counts or not is_own,
        )


def is_shown(request: Request) -> bool:
    """Tell whether anybody sees the answer: that to HEAD is thrown away."""
    return bool(request.method != "HEAD")
