"""What the gate says about a version, kept with its row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from recommender_app.models import ModelVersion
from recommender_app.registry.database import atomic
from recommender_app.registry.release_trail import record_rejection

ITEM_LISTS = ("popular", "pushed")  # see ``training.gate_data.DataProfile``


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


def forget_popular(
    use_case_keys: Collection[str], is_forgotten: Callable[[str], bool], *, dry_run: bool = False
) -> int:
    """Take ids (as text) out of the lists of items that verdicts keep; return from how many verdicts."""
    n_rows = 0
    judged = ModelVersion.objects.filter(use_case__in=use_case_keys, gate__isnull=False)
    for version in judged.only("gate").iterator():
        without = _without(version.gate, is_forgotten)
        if without != version.gate:
            n_rows += 1
            if not dry_run:
                ModelVersion.objects.filter(pk=version.pk).update(gate=without)
    return n_rows


def _without(value: Any, is_forgotten: Callable[[str], bool]) -> Any:
    """Return JSON without some ids in any list called one of ITEM_LISTS."""
    if isinstance(value, list):
        return [_without(each, is_forgotten) for each in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, inner in value.items():
        if name in ITEM_LISTS and isinstance(inner, list):
            inner = [each for each in inner if not is_forgotten(str(each))]
        found[name] = _without(inner, is_forgotten)
    return found
