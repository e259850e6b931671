"""The trail of what was made live and what was turned down: written in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Iterable

from recommender_app.models import ModelVersion, Release, ReleaseChange

Action = ReleaseChange.Action


def record_promotion(
    release: Release, versions: Iterable[ModelVersion], before: Release | None, *, by: str, reason: str
) -> None:
    """Add a row per version that a release makes live; ``force`` for one that its gate had not let through."""
    for version in versions:
        _add(
            Action.FORCE if was_turned_down(version) else Action.PROMOTE,
            release.use_case,
            by=by,
            release=release.number,
            version=version.name,
            reason=reason,
            details=_moved(before, release) | ({"gate": version.gate["reason"]} if version.gate else {}),
        )


def record_roll_back(release: Release, before: Release | None, *, by: str, reason: str) -> None:
    """Add the row of an earlier release that is live again."""
    details = _moved(before, release)
    _add(Action.ROLL_BACK, release.use_case, by=by, release=release.number, reason=reason, details=details)


def record_rejection(version: ModelVersion, *, by: str) -> None:
    """Add the row of a version that was turned down."""
    _add(Action.REJECT, version.use_case, by=by, version=version.name, reason=version.reason)


def was_turned_down(version: ModelVersion) -> bool:
    """Tell whether a version was rejected or its gate did not let it through; its verdict stays after it was forced."""
    return version.status == ModelVersion.Status.REJECTED or bool(version.gate and not version.gate["passed"])


def _moved(before: Release | None, now: Release) -> dict[str, object]:
    versions = {member.engine: member.version.name for member in now.members.select_related("version")}
    return {"before": before.number if before else None, "versions": versions}


def _add(action: Action, use_case: str, **values: object) -> None:
    ReleaseChange.objects.create(action=action, use_case=use_case, **values)
