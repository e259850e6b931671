"""What the OpenAPI schema shows of requests and answers; a test holds each to the schema."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

_REQUEST_ID = "0b8f7d4e-5c9d-4e43-8f1e-6c1c6f1d2a77"
_EVENT_ID = "5f0c1a52-6a0e-4d7e-9a3b-1f6f0d0b8f11"


def _answer(request_id: str, results: list[dict[str, Any]], **values: Any) -> dict[str, Any]:
    shared = {"use_case": "developer_startup", "fallback_reason": None, "interaction_count": 12, "next": None}
    return {
        "request_id": request_id,
        **shared,
        "engine": "als",
        "model_version": "als_v3",
        **values,
        "results": results,
    }


def _result(rank: int, pk: int, label: str, reason: dict[str, Any] | None, **values: Any) -> dict[str, Any]:
    item = {"id": pk, "label": label}
    return {"rank": rank, "id": pk, "score": 0.81, "source": "als", "item": item, "reason": reason, **values}


_LIKED = {"code": "because_you_liked", "evidence": [17], "text": "because you liked Robo Farm"}
_NEW = {"code": "new", "evidence": [], "text": "new here"}
_UNSCORED = {"score": 0.0, "source": "newest"}
_NEWEST = {"engine": "newest", "model_version": None, "fallback_reason": "no_model", "interaction_count": 0}
_HEALTH = {
    "status": "ok",
    "problems": [],
    "use_cases": {},
    "databases": {"default": "closed"},
    "training": {"n_waiting": 0, "waiting_since": None, "last_seen_at": "2026-11-07T03:12:00Z"},
    "n_log_rows_lost": 0,
    "n_log_rows_spooled": 0,
    "n_requests_without_arm": 0,
    "n_requests_not_counted": 0,
    "spool": {
        "folder": "/srv/site/spool",
        "is_readable": True,
        "n_files": 0,
        "n_bytes": 0,
        "oldest_seconds": None,
        "n_rejected_files": 0,
    },
}
_RATE = {"value": 0.12, "low": 0.1, "high": 0.14, "n_users": 410}
_GROUP = {
    **{
        "group": "als",
        "users": 410,
        "requests": 980,
        "fallbacks": 12,
        "impressions": 4100,
        "seen": 3900,
        "clicks": 492,
    },
    **{"conversions": 61, "likes": 40, "dislikes": 9, "ratings": 0, "sessions": 702, "distinct_items": 880},
    **dict.fromkeys(("ctr", "seen_rate", "conversion_rate", "satisfaction", "mean_session_seconds"), _RATE),
    **dict.fromkeys(("fallback_rate", "mean_diversity", "mean_latency_ms"), _RATE),
    "mean_rating": {"value": None, "low": None, "high": None, "n_users": 0},
    **{"latency_ms_p50": 9.1, "latency_ms_p95": 21.4, "latency_ms_p99": 40.2, "offline": {"ndcg@10": 0.11}},
}
_METRICS = {
    **{"use_case": "developer_startup", "from": "2026-11-01", "to": "2026-11-07", "by": "engine", "days_missing": 0},
    "groups": [_GROUP],
    "total": {**_GROUP, "group": "all", "offline": {}},
}

_HEALTHY = {"check": "sample_ratio", "severity": "green", "blocks": True, "value": 0.4, "p": 0.53}
_ROW = {
    **{"experiment": "warm-als", "phase": 1, "as_of": "2026-11-07", "metric": "ctr", "role": "primary"},
    "verdict": "too_early",
    **{"arm": "als", "users": 2050, "value": 0.126},
    **{"difference": 0.006, "low": -0.001, "high": 0.013, "relative": 0.05, "relative_low": -0.008},
    **{"relative_high": 0.112, "p_value": 0.11, "p_adjusted": 0.11},
    **dict.fromkeys(("fixed_low", "fixed_high", "fixed_p_value", "fixed_p_adjusted")),
}
_GUARDRAIL = {
    **{"metric": "fallback_rate", "arm": "als", "safety": "safe", "treatment": 0.011, "control": 0.012},
    **{"beyond": -0.007, "at_least": -0.012, "at_most": -0.002},
}
_EXPERIMENT = {
    **{"experiment": "warm-als", "name": "ALS for warm users", "use_case": "developer_startup", "status": "running"},
    **{"phase": 1, "started_at": "2026-11-01T00:00:00Z", "ended_at": None, "as_of": "2026-11-07"},
    **{"verdict": "too_early", "sentence": "Too early: 7 of at least 14 days."},
    "health": [{**_HEALTHY, "sentence": "Units arrive as the weights say: control 2,031, als 2,050."}],
    "rows": [_ROW],
    "guardrails": [_GUARDRAIL],
    "all_phases": [],
    **{"code_version": "0.1.0", "data_hash": "0f" * 32},
}


def _given(name: str, value: Any, status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status)])


def _failed(status: int, name: str, detail: str, **errors: list[str]) -> OpenApiExample:
    return _given(name, {"detail": detail, **({"errors": errors} if errors else {})}, status)


_RECORDED = {"results": [{"event_id": _EVENT_ID, "status": "recorded"}]}
_DUPLICATE = {"results": [{"event_id": _EVENT_ID, "status": "duplicate"}]}

OF_OPERATIONS = {
    "recommendations_list": [
        _given("A list", _answer(_REQUEST_ID, [_result(1, 42, "Tea Robots", _LIKED)])),
        _given(
            "Nothing is trained yet", _answer(_REQUEST_ID, [_result(1, 44, "Sea Lab", _NEW, **_UNSCORED)], **_NEWEST)
        ),
    ],
    "similar_items_list": [_given("A list", _answer(_REQUEST_ID, [_result(1, 43, "Tea Drones", None)]))],
    "events_create": [
        _given("Recorded", _RECORDED, 201),
        _given("Sent again", _DUPLICATE, 200),
    ],
    "metrics_retrieve": [_given("A week of one engine", _METRICS)],
    "experiments_retrieve": [_given("A week after the start", _EXPERIMENT)],
    "health_retrieve": [_given("Nothing is wrong", _HEALTH)],
}
OF_ERRORS = [
    _failed(400, "A wrong value", "limit: A valid integer is required.", limit=["A valid integer is required."]),
    _failed(401, "Not logged in", "Authentication credentials were not provided."),
    _failed(403, "Not allowed", "You do not have permission to perform this action."),
    _failed(404, "Nobody of the use case", "This login has no user in developer_startup."),
    _failed(413, "Too long", "The body is too long; send less at once."),
    _failed(415, "Not JSON", 'Unsupported media type "text/plain" in request.'),
    _failed(429, "Too many requests", "Request was throttled. Expected available in 3 seconds."),
    _failed(503, "No database", "The database cannot be reached; try again later."),
]


def examples_of(operation_id: str) -> list[OpenApiExample]:
    """Return what is shown of an operation: requests and answers of its own, and the errors that it may answer."""
    return [*OF_OPERATIONS.get(operation_id, []), *OF_ERRORS]
