"""Daily numbers: what came of what was shown, as the metrics API tells it, on a page.

The API is imported with the first request: every command imports the admin.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from recommender_app.admin.read_only import ReadOnlyAdmin
from recommender_app.admin.tables import EMPTY, html_table
from recommender_app.measurement.intervals import Rate
from recommender_app.measurement.metrics import BY, GroupMetrics, Metrics, metrics_of
from recommender_app.models import RolledUpDay
from recommender_app.usecases.site import all_use_cases

TEMPLATE = "admin/recommender_app/rolledupday/daily_numbers.html"
TITLE = "Daily numbers"
MOST_ROWS = 1_000  # of the table
ASKED = ("use_case", "from", "to", "by")
COUNTS = {"users": "users", "requests": "requests", "fallbacks": "fallbacks", "clicks": "clicks"}
SHARES = {"ctr": "CTR", "conversion_rate": "conversion", "satisfaction": "satisfaction"}
MEANS = {"mean_rating": "mean rating", "mean_diversity": "diversity"}


@admin.register(RolledUpDay)
class RolledUpDayAdmin(ReadOnlyAdmin):
    """One page instead of a list of days: the numbers themselves."""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever may ask the metrics API."""
        from recommender_app.api.metrics import PERMISSION

        return bool(request.user.has_perm(PERMISSION))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the numbers that the query asks for; of the first use case, the newest days by engine, if nothing."""
        from recommender_app.api.metrics import MetricsParameters

        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = _asked(request)
        parameters = MetricsParameters(data=asked)
        metrics = None
        if parameters.is_valid():
            wanted = parameters.validated_data
            metrics = metrics_of(wanted["use_case"], wanted["from"], wanted["to"], wanted["by"])
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": TITLE,
            "use_cases": [(use_case.key, use_case.label) for use_case in all_use_cases()],
            "choices": list(BY),
            "errors": [f"{name}: {error}" for name, errors in parameters.errors.items() for error in errors],
            "asked": _shown_again(asked, metrics),
            "metrics": metrics,
            "table": table(metrics) if metrics and metrics.groups else None,
            "n_left_out": max(len(metrics.groups) - MOST_ROWS, 0) if metrics else 0,
            **(extra_context or {}),
        }
        return TemplateResponse(request, TEMPLATE, context)


def table(metrics: Metrics) -> Any:
    """Return a row of numbers for each group, and of all of them together."""
    header = (
        metrics.by.replace("_", ", "), *COUNTS.values(), *SHARES.values(), *MEANS.values(), "fallback rate", "p95 ms",
        "distinct items",
    )  # fmt: skip
    groups = [*metrics.groups[:MOST_ROWS], metrics.total]
    return html_table(header, map(_row, groups))


def _row(group: GroupMetrics) -> list[str]:
    p95 = group.latencies["latency_ms_p95"]
    return [
        group.group,
        *(f"{group.sums[name]:,}" for name in COUNTS),
        *(_share(group.rates[name]) for name in SHARES),
        *(_mean(group.rates[name]) for name in MEANS),
        _share(group.rates["fallback_rate"]),
        EMPTY if p95 is None else f"{p95:.0f}",
        f"{group.distinct_items:,}",
    ]


def _share(rate: Rate) -> str:
    return _with_interval(rate, lambda value: f"{value:.2%}")


def _mean(rate: Rate) -> str:
    return _with_interval(rate, lambda value: f"{value:.2f}")


def _with_interval(rate: Rate, written: Any) -> str:
    if rate.value is None:
        return EMPTY
    if rate.low is None or rate.high is None:
        return str(written(rate.value))
    return f"{written(rate.value)} [{written(rate.low)}, {written(rate.high)}]"


def _asked(request: HttpRequest) -> dict[str, str]:
    """Return what the query says, without fields that were left empty."""
    given = {name: str(value) for name, value in request.GET.items() if name in ASKED and value}
    keys = [use_case.key for use_case in all_use_cases()]
    return {"use_case": keys[0] if keys else "", **given}


def _shown_again(asked: dict[str, str], metrics: Metrics | None) -> dict[str, str]:
    """Return what the form holds: what was asked, with the days that were filled in."""
    asked = {"by": "engine", **asked}
    first, last = (str(metrics.first), str(metrics.last)) if metrics else (asked.get("from", ""), asked.get("to", ""))
    return {"use_case": asked["use_case"], "by": asked["by"], "first": first, "last": last}
