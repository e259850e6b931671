"""The endpoint of events: authenticate, check, ask ``record_events``, render."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, PolymorphicProxySerializer
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from recommender_app.api.description import described
from recommender_app.api.errors import BODY_RESPONSES, ERROR_RESPONSES
from recommender_app.api.parsing import StrictJSONParser
from recommender_app.api.permissions import MayVisit, is_logged_in, posting_user
from recommender_app.api.posted_events import EventSerializer, ReceiptSerializer, posted_events
from recommender_app.api.throttling import AnonymousEventThrottle, EventThrottle
from recommender_app.api.views import RecommenderView
from recommender_app.api.visitors import SESSION, hand_over, merge_visitor, ticket_of, ticket_or_new
from recommender_app.exceptions import InvalidEvents, UserNotFound
from recommender_app.measurement.anonymous import record_anonymous
from recommender_app.measurement.events import PostedEvent
from recommender_app.measurement.recording import Status, record_events
from recommender_app.serving.database import retried
from recommender_app.serving.forgotten import is_forgotten
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.site import get_use_case

BODY = PolymorphicProxySerializer(
    component_name="Events",
    serializers=[EventSerializer, EventSerializer(many=True)],
    resource_type_field_name=None,
    many=False,
)
EXAMPLE = {
    "event_id": "5f0c1a52-6a0e-4d7e-9a3b-1f6f0d0b8f11",
    "item": 42,
    "event": "click",
    "request_id": "0b8f7d4e-5c9d-4e43-8f1e-6c1c6f1d2a77",
}


class MayPost(MayVisit):
    """Whoever has logged in, and anybody where the use case says ``allow_anonymous``."""

    declared_as = "allow_anonymous"


class EventsView(RecommenderView):
    """What came of what was shown, and anything else that the requester did with items."""

    permission_classes = [MayPost]
    parser_classes = [StrictJSONParser]
    throttle_classes = [EventThrottle, AnonymousEventThrottle]

    @described(
        operation_id="events_create",
        summary="Post events of the requester",
        description=(
            "One event, or a list of up to 500 (and 64 KB). All of a post is recorded or, where anything is wrong, "
            "nothing: `errors` then names the fields, in a list as `3.item` (numbers from 0). Events are idempotent by "
            "`event_id`: send again what was not answered. Answers 201 where anything was recorded, else 200. Where "
            "the use case allows it, impressions and clicks need no login: a cookie or the header "
            "`X-Recommender-Session` holds a signed session, and they become the user's at login, or with the first "
            "post that has both a login and the session."
        ),
        tags=["events"],
        parameters=[
            OpenApiParameter("use_case", str, OpenApiParameter.PATH, description="Key of a declared use case."),
            OpenApiParameter("for", str, description="Which of the login's users, where the host has several."),
            SESSION,
        ],
        request=BODY,
        responses={
            200: OpenApiResponse(ReceiptSerializer, "All of it was there already."),
            201: OpenApiResponse(ReceiptSerializer, "Recorded."),
            **ERROR_RESPONSES,
            **BODY_RESPONSES,
        },
        examples=[OpenApiExample("A click", EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, use_case: str) -> Response:
        """Record one post."""
        declared = get_use_case(use_case)
        refuse_parameters(declared, request)
        events = posted_events(request.data)
        record = self._record_own if is_logged_in(request) else self._record_anonymous
        try:
            return record(declared, events)
        except InvalidEvents as problem:
            errors: Any = problem.errors
            is_list = isinstance(request.data, list)
            raise ValidationError({str(n): errors[n] for n in errors} if is_list else errors[0]) from problem

    def _record_own(self, use_case: UseCase, events: list[PostedEvent]) -> Response:
        user = retried(lambda: posting_user(use_case, self.request))
        if is_forgotten(use_case, user.pk):
            raise UserNotFound(f"This user of {use_case.key} is forgotten: nothing is recorded.")
        ticket = ticket_of(self.request)
        session = ticket.session if ticket else None
        response = receipt(events, retried(lambda: record_events(use_case, user, events, session)))
        return merge_visitor(use_case, user, self.request, response)

    def _record_anonymous(self, use_case: UseCase, events: list[PostedEvent]) -> Response:
        """Record under the requester's session; whoever has none, or none of ours, is given one."""
        ticket = ticket_or_new(self.request)
        response = receipt(events, retried(lambda: record_anonymous(use_case, ticket.session, events)))
        return hand_over(ticket, self.request, response)


def receipt(events: list[PostedEvent], statuses: list[Status]) -> Response:
    """Return the answer to a post: 201 where anything was recorded."""
    results = [{"event_id": event.event_id, "status": status} for event, status in zip(events, statuses, strict=True)]
    return Response({"results": results}, status=201 if "recorded" in statuses else 200)


def refuse_parameters(use_case: UseCase, request: Request) -> None:
    """Refuse query parameters that ``get_user`` does not read.

    Raises:
        ValidationError: names them.
    """
    known = ", ".join(use_case.parameters) or "none"
    unknown = [name for name in request.query_params if name not in use_case.parameters]
    if unknown:
        raise ValidationError({name: [f"There is no such parameter here; there are: {known}."] for name in unknown})
