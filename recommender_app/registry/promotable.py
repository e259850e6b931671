"""Whether a version may go live."""

from __future__ import annotations

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.exceptions import RegistryError
from recommender_app.models import ModelVersion, Release

PROMOTABLE = (ModelVersion.Status.CANDIDATE, ModelVersion.Status.READY)


def check_promotable(version: ModelVersion) -> None:
    """Raise RegistryError, with what to do instead, unless the version may be promoted."""
    if version.status in PROMOTABLE:
        return
    advice = "train again"
    if version.status == ModelVersion.Status.RETIRED:
        last = Release.objects.filter(versions=version).order_by("-number").first()
        advice = f"roll back to release {last.number}, or train again" if last else advice
    reason = f" ({version.reason.rstrip('.')})" if version.reason else ""
    raise RegistryError(f"{version} is {version.status}{reason} and cannot be promoted: {advice}.")


def check_artifact(version: ModelVersion) -> None:
    """Raise ArtifactError unless the version's folder opens with everything intact."""
    ArtifactStore(settings.artifact_root).open(version.use_case, version.engine, version.name)


def check_not_rejected(release: Release) -> None:
    """Raise RegistryError if a version of the release has been rejected since."""
    rejected = release.versions.filter(status=ModelVersion.Status.REJECTED).first()
    if rejected:
        raise RegistryError(f"{release} holds {rejected.name}, which was rejected: choose another release.")
