"""``GET health/``: for staff and for monitors that log in."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from recommender_app.api.description import described
from recommender_app.api.errors import ERROR_RESPONSES, ErrorSerializer
from recommender_app.api.throttling import RecommenderThrottle, n_unlimited
from recommender_app.api.views import RecommenderView
from recommender_app.serving.health import DEGRADED, NO_RELEASE, OK, health

PERMISSION = "recommender_app.view_release"
_ERRORS = {
    401: ERROR_RESPONSES[401],
    403: OpenApiResponse(ErrorSerializer, f"Neither staff nor holder of the permission {PERMISSION}."),
    429: ERROR_RESPONSES[429],
    503: ERROR_RESPONSES[503],
}


class MayLook(BasePermission):
    """Staff, or whoever may view releases."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the login may see how the site is served."""
        user: Any = request.user
        return bool(user and (getattr(user, "is_staff", False) or user.has_perm(PERMISSION)))


class HealthThrottle(RecommenderThrottle):
    """Requests for the state of the process."""

    scope = "health"


class EngineHealthSerializer(serializers.Serializer[Any]):
    """One engine of the live release."""

    version = serializers.CharField(help_text="Such as als_v3.")
    is_loaded = serializers.BooleanField(help_text="Whether it serves in this process.")
    is_pinned = serializers.BooleanField(help_text="The environment chose the version.")
    has_index = serializers.BooleanField(help_text="It proposes items through an index.")
    problem = serializers.CharField(help_text="Why it does not serve, or empty.")
    note = serializers.CharField(help_text="Why it does not serve as it was trained, or empty.")


class DecisionSerializer(serializers.Serializer[Any]):
    """One field of a policy."""

    value = serializers.JSONField(help_text="What is in force: a number, a text, a list or an object.")
    origin = serializers.CharField(help_text="default, use case, admin, environment or arm.")


class SwitchSerializer(serializers.Serializer[Any]):
    """One engine that somebody switched on or off."""

    is_on = serializers.BooleanField(help_text="Whether it may be asked.")
    origin = serializers.CharField(help_text="Who decided: admin, environment or arm.")


class PolicyInForceSerializer(serializers.Serializer[Any]):
    """The policy in force, and why."""

    name = serializers.CharField(help_text="What the request log calls it.")
    origin = serializers.CharField(help_text="The highest level that had a say.")
    fields = serializers.DictField(child=DecisionSerializer(), help_text="By name of the field.")  # type: ignore[assignment]
    switches = serializers.DictField(child=SwitchSerializer(), help_text="By engine.")


class UseCaseHealthSerializer(serializers.Serializer[Any]):
    """One use case in the process that answers."""

    status = serializers.ChoiceField((OK, DEGRADED, NO_RELEASE), help_text="How it is served.")
    release = serializers.IntegerField(allow_null=True, help_text="Number of the live release.")
    is_row_readable = serializers.BooleanField(help_text="Whether the release could be read from the database.")
    waits_for = serializers.CharField(help_text="Which release cannot be loaded here, and why, or empty.")
    is_policy_readable = serializers.BooleanField(help_text="Whether the stored policy could be read and makes sense.")
    engines = serializers.DictField(child=EngineHealthSerializer(), help_text="Those of the live release, by key.")
    breakers = serializers.DictField(child=serializers.CharField(), help_text="closed, open or trial, per engine.")
    n_overlay_items = serializers.IntegerField(
        allow_null=True, help_text="Items newer than the release that are laid over it."
    )
    policy = PolicyInForceSerializer(help_text="Which engine answers whom, and who decided it.")


class SpoolSerializer(serializers.Serializer[Any]):
    """What lies in the spool of the host that answers."""

    folder = serializers.CharField(help_text="Where it is.")
    is_readable = serializers.BooleanField(help_text="Whether the process may look into it.")
    n_files = serializers.IntegerField(help_text="Files of rows that wait for the request log.")
    n_bytes = serializers.IntegerField(help_text="Their size.")
    oldest_seconds = serializers.FloatField(allow_null=True, help_text="Age of the oldest row that waits.")
    n_rejected_files = serializers.IntegerField(help_text="Files of lines that no row could be made of.")


class TrainingHealthSerializer(serializers.Serializer[Any]):
    """Whether anybody trains; the same for every process."""

    n_waiting = serializers.IntegerField(help_text="Requested runs that nobody has begun.")
    waiting_since = serializers.DateTimeField(allow_null=True, help_text="When the oldest of them was asked for.")
    last_seen_at = serializers.DateTimeField(
        allow_null=True, help_text="Last sign of life of a training process, null if there was none."
    )


class HealthSerializer(serializers.Serializer[Any]):
    """The state of the process that answers; another process may see it differently."""

    status = serializers.ChoiceField((OK, DEGRADED), help_text="Whether anything is wrong.")
    problems = serializers.ListField(child=serializers.CharField(), help_text="One line each.")
    use_cases = serializers.DictField(child=UseCaseHealthSerializer(), help_text="By key.")
    databases = serializers.DictField(child=serializers.CharField(), help_text="closed = in use, open = left alone.")
    n_log_rows_lost = serializers.IntegerField(help_text="Answers of this process without a row anywhere.")
    n_log_rows_spooled = serializers.IntegerField(help_text="Rows that this process has put into the spool.")
    n_requests_without_arm = serializers.IntegerField(
        help_text="Requests to this process that were answered without the arm that they may have had."
    )
    n_requests_not_counted = serializers.IntegerField(
        help_text="Requests to this process that no rate held, because the cache that counts was down."
    )
    spool = SpoolSerializer(help_text="Rows of the request log that wait to be written.")
    training = TrainingHealthSerializer(help_text="What waits to be trained, and when somebody trained.")


class HealthView(RecommenderView):
    """What is live, what is wrong, which policy serves and why."""

    permission_classes = [IsAuthenticated, MayLook]
    throttle_classes = [HealthThrottle]

    @described(
        operation_id="health_retrieve",
        summary="How the site serves, for staff",
        description="Always 200; `status` is `degraded` while an engine, the registry or a database is out of service.",
        tags=["operations"],
        responses={200: HealthSerializer, **_ERRORS},
    )
    def get(self, request: Request) -> Response:
        """Return the state of the process that answers."""
        return Response({**health(), "n_requests_not_counted": n_unlimited()})
