"""Which versions are worth their place on the disk; the rows of the others stay as history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import QuerySet

from recommender_app.conf import settings
from recommender_app.models import ModelVersion
from recommender_app.registry.database import atomic, current_time
from recommender_app.registry.live import live_release
from recommender_app.registry.pins import pinned_versions, releases_of_arms
from recommender_app.registry.switching import wait_for_others

YOUNG_SECONDS = 3600.0  # somebody may be about to promote it
PRUNED = "Its artifact was deleted: newer versions have taken its place."
LOST = "Its artifact was not found any more."


def present_versions(use_case_key: str) -> QuerySet[ModelVersion]:
    """Return the versions of a use case that should have an artifact."""
    return ModelVersion.objects.filter(use_case=use_case_key, gone_at=None)


def superfluous_versions(use_case_key: str, *, young_seconds: float | None = None) -> list[ModelVersion]:
    """Return the versions that nothing needs any more, oldest first.

    Kept are, per engine, the members of the live release and of the one to roll back to, what the
    environment and the arms of open phases pin, the KEEP_VERSIONS newest, and whatever is younger than an hour.
    """
    kept = {version.pk for version in _in_use(use_case_key)}
    pinned = pinned_versions(use_case_key)
    since = current_time() - timedelta(seconds=YOUNG_SECONDS if young_seconds is None else young_seconds)
    found, n_seen = [], dict[str, int]()
    for version in present_versions(use_case_key).order_by("-number"):
        n_seen[version.engine] = n_seen.get(version.engine, 0) + 1
        is_new = n_seen[version.engine] <= settings.KEEP_VERSIONS or version.created_at > since
        if not is_new and version.pk not in kept and pinned.get(version.engine) != version.name:
            found.append(version)
    return found[::-1]


def give_up_superfluous(use_case_key: str) -> list[ModelVersion]:
    """Mark the superfluous versions as gone, so that nobody promotes them, and return them."""
    with atomic():
        wait_for_others(use_case_key)  # a promotion or roll back that comes first is seen here
        list(present_versions(use_case_key).select_for_update())
        versions = superfluous_versions(use_case_key)
        mark_gone(versions, PRUNED)
    return versions


def mark_gone(versions: Iterable[ModelVersion], reason: str) -> None:
    """Note that the artifacts of versions are no longer there; what was not rejected is retired."""
    for version in versions:
        version.gone_at = current_time()
        if version.status != ModelVersion.Status.REJECTED:
            version.status, version.reason = ModelVersion.Status.RETIRED, reason
        version.save(update_fields=["gone_at", "status", "reason"])


def _in_use(use_case_key: str) -> list[ModelVersion]:
    """Return the members of the live release, of the one before it, and of those that arms pin."""
    live = live_release(use_case_key)
    releases = [release for release in (live, live.previous if live else None) if release]
    releases += releases_of_arms(use_case_key)
    return [version for release in releases for version in release.versions.all()]
