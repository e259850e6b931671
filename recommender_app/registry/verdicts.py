"""What the gate says about a version, kept with its row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recommender_app.models import ModelVersion
from recommender_app.registry.database import atomic
from recommender_app.registry.release_trail import record_rejection


def record_verdict(version: ModelVersion, verdict: Mapping[str, Any], *, by: str) -> None:
    """Store a verdict, ``{passed, outcome, reason, ...}``; a rejected candidate's folder stays, to be looked at."""
    version.gate = dict(verdict)
    version.reason = "" if verdict["passed"] else str(verdict["reason"])
    with atomic():
        if verdict["outcome"] == "rejected" and version.status == ModelVersion.Status.CANDIDATE:
            version.status = ModelVersion.Status.REJECTED
            record_rejection(version, by=by)
        version.save(update_fields=["gate", "status", "reason"])


def reject_version(version: ModelVersion, reason: str, *, by: str) -> None:
    """Turn down a candidate for what came out after its verdict; what somebody has made live meanwhile stays so."""
    candidate = ModelVersion.objects.filter(pk=version.pk, status=ModelVersion.Status.CANDIDATE)
    with atomic():
        is_rejected = candidate.update(status=ModelVersion.Status.REJECTED, reason=reason)
        version.refresh_from_db(fields=["status", "reason"])
        if is_rejected:
            record_rejection(version, by=by)
