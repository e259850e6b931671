"""The endpoint of similar items: authenticate, check, ask ``similar_items``, render."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from recommender_app.api.answers import AnswerSerializer, answer_as_json
from recommender_app.api.description import described
from recommender_app.api.errors import ERROR_RESPONSES, ErrorSerializer
from recommender_app.api.parameters import EXCLUDE, FOR_USER, FilterParameters, RecommendationParameters, plain
from recommender_app.api.permissions import MayVisit, is_logged_in, listed_user
from recommender_app.api.throttling import AnonymousListThrottle, RecommendationThrottle
from recommender_app.api.views import RecommenderView, is_shown
from recommender_app.api.visitors import SESSION, Ticket, hand_over, ticket_of_stranger
from recommender_app.serving.answer import Answer
from recommender_app.serving.database import DATABASE_ERRORS, retried
from recommender_app.serving.service import unavailable
from recommender_app.serving.similar import similar_items
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.filters import parse_filters
from recommender_app.usecases.site import get_use_case
from recommender_app.usecases.visitors import Visitor


class SimilarParameters(RecommendationParameters):
    """Query parameters of a request for similar items: one list, no pages."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return those of a recommendation that make sense here."""
        fields = super().get_fields()
        return {name: fields[name] for name in ("limit", "exclude")}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse pages, rather than answer the first one for ever."""
        if "cursor" in self.initial_data:
            raise serializers.ValidationError({"cursor": ["Similar items have no pages."]})
        return attrs


class SimilarItemsView(RecommenderView):
    """Items that are like one."""

    permission_classes = [MayVisit]
    throttle_classes = [RecommendationThrottle, AnonymousListThrottle]

    @described(
        operation_id="similar_items_list",
        summary="Items similar to one",
        description=(
            "Up to `limit` items that are like the given one, may be shown to the requester and pass the filters, most "
            "similar first; never the item itself. Answers 200 also where no model can: the newest items fill up. "
            "Needs no login where lists need none."
        ),
        tags=["recommendations"],
        parameters=[
            OpenApiParameter("use_case", str, OpenApiParameter.PATH, description="Key of a declared use case."),
            OpenApiParameter("item", str, OpenApiParameter.PATH, description="Primary key of an item."),
            SimilarParameters,
            EXCLUDE,
            FilterParameters,
            FOR_USER,
            SESSION,
        ],
        responses={
            200: AnswerSerializer,
            **ERROR_RESPONSES,
            404: OpenApiResponse(ErrorSerializer, "No such use case or item, or the login has no such user in it."),
        },
    )
    def get(self, request: Request, use_case: str, item: str) -> Response:
        """Answer one request."""
        declared = get_use_case(use_case)
        parameters = SimilarParameters(data=plain(request.query_params))
        parameters.is_valid(raise_exception=True)
        ticket = None if is_logged_in(request) else ticket_of_stranger(declared, request)
        answer = self._answer(declared, ticket, item, **parameters.validated_data)
        response = Response(answer_as_json(answer, declared, {"request": request, "view": self}))
        return hand_over(ticket, request, response) if ticket else response

    def _answer(
        self, use_case: UseCase, ticket: Ticket | None, item: str, limit: int, exclude: Sequence[str]
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
        return similar_items(user, use_case.key, item, limit, filters=filters, log=is_own and is_shown(request))
