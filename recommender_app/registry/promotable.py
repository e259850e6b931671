"""Whether a version may go live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.exceptions import ArtifactMissing, RegistryBusy, RegistryError
from recommender_app.models import ModelVersion, Release, TrainingRun
from recommender_app.registry.leases import renew_lease
from recommender_app.registry.storage import is_stored

PROMOTABLE = (ModelVersion.Status.CANDIDATE, ModelVersion.Status.READY)


def check_promotable(version: ModelVersion, *, force: bool = False) -> None:
    """Raise RegistryError, with what to do instead, unless the version may be promoted; ``force`` ignores the gate."""
    check_not_gone(version)
    is_rejected = version.status == ModelVersion.Status.REJECTED
    if version.status in PROMOTABLE or (force and is_rejected):
        return
    advice = "train again, or force it if you know better" if is_rejected else "train again"
    if version.status == ModelVersion.Status.RETIRED:
        last = Release.objects.filter(versions=version).order_by("-number").first()
        advice = f"roll back to release {last.number}, or train again" if last else advice
    reason = f" ({version.reason.rstrip('.')})" if version.reason else ""
    raise RegistryError(f"{version} is {version.status}{reason} and cannot be promoted: {advice}.")


def check_not_gone(version: ModelVersion) -> None:
    """Raise RegistryError if the version's artifact was pruned or lost."""
    if version.gone_at is not None:
        raise RegistryError(
            f"{version} is history: its artifact is gone since {version.gone_at:%Y-%m-%d}. Train again, or choose "
            "a newer version."
        )


def check_artifact(version: ModelVersion) -> None:
    """Raise ArtifactError unless the version opens with everything intact, and other hosts can have it.

    What this host lacks but ARTIFACT_STORAGE has was checked before it was stored, and is checked
    by every host that fetches it.
    """
    names = version.use_case, version.engine, version.name
    artifacts = ArtifactStore(settings.artifact_root)
    is_elsewhere = settings.ARTIFACT_STORAGE is not None and not artifacts.folder(*names).exists()
    if not is_elsewhere:
        artifacts.open(*names)
    if not is_stored(*names):
        raise ArtifactMissing(f"{version} is not in ARTIFACT_STORAGE yet: run recommender_sync where it was trained.")


def check_one_per_engine(versions: Sequence[ModelVersion]) -> None:
    """Raise RegistryError unless the versions are of one use case, at least one, and no two of one engine."""
    if len({version.use_case for version in versions}) != 1:
        raise RegistryError("A release is of one use case: promote at least one version, all of the same.")
    engines = [version.engine for version in versions]
    twice = next((engine for engine in engines if engines.count(engine) > 1), None)
    if twice:
        raise RegistryError(f"Choose one version of {twice}: a release has one per engine.")


def check_held(runs: Iterable[TrainingRun]) -> None:
    """Raise RegistryBusy if somebody else has taken over one of the runs; in a transaction it keeps the others."""
    for run in runs:
        if not renew_lease(run):
            raise RegistryBusy(f"Run {run.pk} was given up before it ended; another goes on.")


def wanted_of(versions: Sequence[ModelVersion], live: Mapping[str, ModelVersion]) -> list[ModelVersion]:
    """Leave out versions that are live already or overtaken by a newer one.

    Raises:
        RegistryError: that leaves none.
    """
    others = [(version, live.get(version.engine)) for version in versions]
    wanted = [version for version, other in others if other is None or other.number < version.number]
    if wanted:
        return wanted
    for version, other in others:
        if other is not None and other != version:
            raise RegistryError(f"{version} was overtaken: {other.name} is live already.")
    raise RegistryError(f"{versions[0]} is live already.")


def check_restorable(release: Release) -> None:
    """Raise RegistryError if a version of the release has been rejected, pruned or lost since."""
    for version in release.versions.all():
        check_not_gone(version)
    rejected = release.versions.filter(status=ModelVersion.Status.REJECTED).first()
    if rejected:
        raise RegistryError(f"{release} holds {rejected.name}, which was rejected: choose another release.")
