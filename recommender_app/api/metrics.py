"""``GET metrics/``: what came of what was shown, for staff with the permission to know."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from recommender_app.api.description import described
from recommender_app.api.errors import ERROR_RESPONSES, ErrorSerializer
from recommender_app.api.parameters import NamedChoiceField, plain
from recommender_app.api.throttling import RecommenderThrottle
from recommender_app.api.views import RecommenderView
from recommender_app.measurement.days import day_of
from recommender_app.measurement.metric_tables import as_csv, as_json
from recommender_app.measurement.metrics import BY, QUANTILES, Metrics, metrics_of
from recommender_app.measurement.user_totals import RATES, SUMMED
from recommender_app.serving.database import retried
from recommender_app.usecases.site import all_use_cases

PERMISSION = "recommender_app.view_metrics"
DEFAULT_DAYS, MOST_DAYS = 28, 366
EARLIEST = date(2000, 1, 1)
FORBIDDEN = OpenApiResponse(ErrorSerializer, f"Not staff, or without the permission {PERMISSION}.")
_ERRORS = {**{status: ERROR_RESPONSES[status] for status in (400, 401, 429, 503)}, 403: FORBIDDEN}


class MayReadMetrics(BasePermission):
    """Staff who were given the permission; being staff alone is not enough."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the login may read what came of the lists of all users."""
        user: Any = request.user
        return bool(getattr(user, "is_staff", False) and user.has_perm(PERMISSION))


class MetricsThrottle(RecommenderThrottle):
    """Requests for metrics, which the database adds up each time."""

    scope = "metrics"


class StrictDateField(serializers.DateField):
    """A day as ``2026-11-25``, from EARLIEST on."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%Y-%m-%d", input_formats=["%Y-%m-%d"], **kwargs)

    def to_internal_value(self, value: Any) -> date:
        """Return the day that the text says."""
        if not isinstance(value, str) or not (value.isascii() and len(value) == len("2026-11-25")):
            self.fail("invalid", format="YYYY-MM-DD")
        day: date = super().to_internal_value(value)
        if day < EARLIEST:
            raise serializers.ValidationError(f"There is nothing before {EARLIEST}.")
        return day


class MetricsParameters(serializers.Serializer[Any]):
    """Query parameters of a request for metrics."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the fields; ``from`` is no name for an attribute."""
        keys = [use_case.key for use_case in all_use_cases()]
        return {
            "use_case": NamedChoiceField(keys, help_text="Key of a declared use case."),
            "from": StrictDateField(required=False, help_text="First day, in UTC; 27 days before `to` by default."),
            "to": StrictDateField(required=False, help_text="Last day, included; today by default."),
            "by": NamedChoiceField(list(BY), default="engine", help_text="What the groups are."),
            "format": NamedChoiceField(["json", "csv"], default="json", help_text="How to answer."),
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Fill in the days; refuse what is unknown and what is too long."""
        unknown = [name for name in self.initial_data if name not in self.fields]
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(unknown, "There is no such parameter."))
        last = attrs.get("to") or day_of(timezone.now())
        first = attrs.get("from") or last - timedelta(days=DEFAULT_DAYS - 1)
        if first > last:
            raise serializers.ValidationError({"from": f"It is after the last day, {last}."})
        if (last - first).days >= MOST_DAYS:
            raise serializers.ValidationError({"from": f"Ask for {MOST_DAYS} days at most."})
        return {**attrs, "from": first, "to": last}


class RateSerializer(serializers.Serializer[Any]):
    """A rate with its 95 % interval, in which users are independent (delta method)."""

    value = serializers.FloatField(allow_null=True, help_text="Null where there is nothing to divide by.")
    low = serializers.FloatField(allow_null=True, help_text="Null where the users do not tell: too few, or all alike.")
    high = serializers.FloatField(allow_null=True, help_text="See low.")
    n_users = serializers.IntegerField(help_text="Users that it is about.")


class GroupSerializer(serializers.Serializer[Any]):
    """What came of the answers of one group."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return a field for each count, rate and quantile."""
        count: Any = serializers.IntegerField
        fields: dict[str, serializers.Field] = {
            "group": serializers.CharField(
                help_text="Engine, version, experiment/phase/arm, day, or the last three; all: the total."
            ),
            "users": count(help_text="Users who were answered or visited."),
            **{name: count(help_text=f"Sum of {name}; see docs/feedback.md.") for name in SUMMED},
            "distinct_items": count(help_text="Different items that were shown, within about 2 %."),
        }
        for name, (y, x, _) in RATES.items():
            fields[name] = RateSerializer(help_text=f"{y} / {x}")  # type: ignore[assignment]
        for name in QUANTILES:
            fields[name] = serializers.FloatField(allow_null=True, help_text="Milliseconds, within 12 %.")
        fields["offline"] = serializers.DictField(
            child=serializers.FloatField(),
            help_text="Of the version, or of an engine's live one: measured in training.",
        )
        return fields


class MetricsSerializer(serializers.Serializer[Any]):
    """The metrics of a use case."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the fields."""
        fields: dict[str, Any] = {
            "use_case": serializers.CharField(help_text="Key of the use case."),
            "from": serializers.DateField(help_text="First day, in UTC."),
            "to": serializers.DateField(help_text="Last day, included."),
            "by": serializers.ChoiceField(list(BY), help_text="What the groups are."),
            "days_missing": serializers.IntegerField(help_text="Days among them that are not rolled up yet."),
            "groups": GroupSerializer(many=True, help_text="One for each engine, version, arm or day."),
            "total": GroupSerializer(help_text="All of them together."),
        }
        return fields


RESPONSES: dict[Any, Any] = {
    (200, "application/json"): MetricsSerializer,
    (200, "text/csv"): OpenApiResponse(str, "The groups, then all of them, one a line."),
    **{(status, "application/json"): response for status, response in _ERRORS.items()},
}


class MetricsView(RecommenderView):
    """What came of what was shown, by engine, version, arm or day."""

    permission_classes = [IsAuthenticated, MayReadMetrics]
    throttle_classes = [MetricsThrottle]

    @described(
        operation_id="metrics_retrieve",
        summary="Online metrics, for staff",
        description=(
            "Click-through and conversion rate, satisfaction, ratings, visits, response times, diversity of what was "
            "shown, from the daily roll-ups, with offline metrics beside them. Everything counts on the day of the "
            "answer. As served, not causal: engines and versions answer different people at different times; what "
            f"one of them effects, an experiment tells. Staff only, with the permission `{PERMISSION}`."
        ),
        tags=["operations"],
        parameters=[MetricsParameters],
        responses=RESPONSES,
    )
    def get(self, request: Request) -> HttpResponse:
        """Return the metrics as JSON or CSV."""
        parameters = MetricsParameters(data=plain(request.query_params))
        parameters.is_valid(raise_exception=True)
        wanted = parameters.validated_data
        found = retried(lambda: metrics_of(wanted["use_case"], wanted["from"], wanted["to"], wanted["by"]))
        if wanted["format"] == "csv":
            return HttpResponse(as_csv(found), content_type="text/csv; charset=utf-8")
        return Response(_as_json(found))


def _as_json(metrics: Metrics) -> dict[str, Any]:
    return {
        "use_case": metrics.use_case,
        "from": metrics.first,
        "to": metrics.last,
        "by": metrics.by,
        "days_missing": metrics.days_missing,
        "groups": [as_json(group) for group in metrics.groups],
        "total": as_json(metrics.total),
    }
