"""``GET experiments/<key>/``: what the last snapshot of an experiment says, for staff with the permission to know."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from recommender_app.api.description import described
from recommender_app.api.errors import ERROR_RESPONSES, ErrorSerializer
from recommender_app.api.experiment_results import ReadOutSerializer
from recommender_app.api.metrics import StrictDateField
from recommender_app.api.parameters import NamedChoiceField, StrictIntegerField, plain
from recommender_app.api.throttling import RecommenderThrottle
from recommender_app.api.views import RecommenderView
from recommender_app.exceptions import MeasurementError
from recommender_app.measurement.readouts.stored import chosen_snapshots, experiment_of, phase_of, snapshot_of
from recommender_app.measurement.readouts.tables import as_csv
from recommender_app.measurement.readouts.told import read_out_json
from recommender_app.serving.database import retried

PERMISSION = "recommender_app.view_experiment_results"
_ERRORS = {
    **{status: ERROR_RESPONSES[status] for status in (400, 401, 429, 503)},
    403: OpenApiResponse(ErrorSerializer, f"Not staff, or without the permission {PERMISSION}."),
    404: OpenApiResponse(ErrorSerializer, "No such experiment or phase."),
}


class MayReadResults(BasePermission):
    """Staff who were given the permission; being staff alone is not enough."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the login may read what came of experiments."""
        user: Any = request.user
        return bool(getattr(user, "is_staff", False) and user.has_perm(PERMISSION))


class ExperimentThrottle(RecommenderThrottle):
    """Requests for the results of experiments."""

    scope = "experiments"


class ExperimentParameters(serializers.Serializer[Any]):
    """Query parameters of a request for an experiment's results."""

    phase = StrictIntegerField(
        required=False, min_value=1, max_value=10_000, help_text="Number of the phase; the newest one by default."
    )
    day = StrictDateField(required=False, help_text="Day of the snapshot; by default the last one, or as CSV all.")

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the fields; ``format`` is no name for an attribute of a serializer."""
        how = NamedChoiceField(
            ["json", "csv"], default="json", help_text="CSV holds all snapshots, or that of ``day``."
        )
        return {**super().get_fields(), "format": how}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what is unknown."""
        unknown = [name for name in self.initial_data if name not in self.fields]
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such parameter."))
        return attrs


RESPONSES: dict[Any, Any] = {
    (200, "application/json"): ReadOutSerializer,
    (200, "text/csv"): OpenApiResponse(
        str, "Every snapshot of the phase or that of a day: a line for each metric and arm."
    ),
    **{(status, "application/json"): response for status, response in _ERRORS.items()},
}


class ExperimentView(RecommenderView):
    """What an experiment says, from its daily snapshots."""

    permission_classes = [IsAuthenticated, MayReadResults]
    throttle_classes = [ExperimentThrottle]

    @described(
        operation_id="experiments_retrieve",
        summary="Results of an experiment, for staff",
        description=(
            "The verdict in words, health before results, then every metric of every arm with its interval. Nothing "
            f"is computed here: snapshots are taken once a day. Staff only, with the permission `{PERMISSION}`."
        ),
        tags=["operations"],
        parameters=[
            ExperimentParameters,
            OpenApiParameter("experiment", str, OpenApiParameter.PATH, description="Key of an experiment."),
        ],
        responses=RESPONSES,
    )
    def get(self, request: Request, experiment: str) -> HttpResponse:
        """Return a snapshot as JSON, or all of a phase or that of a day as CSV."""
        parameters = ExperimentParameters(data=plain(request.query_params))
        parameters.is_valid(raise_exception=True)
        wanted = parameters.validated_data
        return retried(lambda: _answer(experiment, wanted))


def _answer(key: str, wanted: dict[str, Any]) -> HttpResponse:
    phase = phase_of(experiment_of(key), wanted.get("phase"))
    day = wanted.get("day")
    try:
        if wanted["format"] == "csv":
            return HttpResponse(as_csv(chosen_snapshots(phase, day)), content_type="text/csv; charset=utf-8")
        return Response(read_out_json(phase, snapshot_of(phase, day)))
    except MeasurementError as error:
        raise serializers.ValidationError({"day": [str(error)]}) from error
