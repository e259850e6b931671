"""Brings this host up to date with ARTIFACT_STORAGE: for a command or a task, never for a request."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from recommender_app.artifacts import sync
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.exceptions import ArtifactError, ConfigurationError
from recommender_app.models import ModelVersion, Release
from recommender_app.registry import storage
from recommender_app.registry.live import live_release, write_hint
from recommender_app.registry.pins import pinned_versions, releases_of_arms
from recommender_app.registry.retention import present_versions

logger = logging.getLogger(__name__)

NO_STORAGE = (
    "Every host sees the same ARTIFACT_ROOT: nothing is to be fetched. Name a storage in ARTIFACT_STORAGE if not."
)
Name = tuple[str, str]  # engine key, version name


def sync_use_case(use_case_key: str) -> list[str]:
    """Fetch what a use case serves and what it may roll back to, send what is not stored yet, tidy up.

    The LIVE hint follows once every member of the live release is here: until then this host goes
    on with the release before, also after a restart.

    Returns:
        A line per change; none where everything was up to date.

    Raises:
        ConfigurationError: ARTIFACT_STORAGE is not set, or names no storage.
        ArtifactError: a version could not be fetched; whatever else could be done was done.
    """
    remote = storage.artifact_storage()
    if remote is None:
        raise ConfigurationError(NO_STORAGE)
    changes, problems = [], []
    live = live_release(use_case_key)
    for engine, name in _wanted(use_case_key, live):
        try:
            if sync.pull(remote, settings.artifact_root, use_case_key, engine, name):
                changes.append(f"{use_case_key} {name}: fetched")
        except ArtifactError as error:
            problems.append(f"{use_case_key} {name} was not fetched: {error}")
    if live is not None and all(_is_here(use_case_key, name) for name in _members(live)):
        write_hint(use_case_key)
    changes += _send(use_case_key, remote)
    changes += _drop_gone(use_case_key)
    for problem in problems:
        logger.error("%s", problem)
    if problems:
        raise ArtifactError(" ".join([*problems, "What is served here stays."]))
    return changes


def sync_artifacts(use_case_keys: Iterable[str]) -> list[str]:
    """Sync use cases one after the other; raises what went wrong in any of them at the end."""
    changes, problems = [], []
    for key in use_case_keys:
        try:
            changes += sync_use_case(key)
        except ArtifactError as error:
            problems.append(str(error))
    if problems:
        raise ArtifactError(" ".join(problems))
    return changes


def _wanted(use_case_key: str, live: Release | None) -> list[Name]:
    """Return what must be here: the live release first, what is pinned or serves an arm, what to roll back to."""
    of_arms = [name for release in releases_of_arms(use_case_key) for name in _members(release)]
    previous = live.previous if live else None
    named = [*_members(live), *pinned_versions(use_case_key).items(), *of_arms, *_members(previous)]
    gone = ModelVersion.objects.filter(use_case=use_case_key, gone_at__isnull=False)
    return [pair for pair in dict.fromkeys(named) if pair not in {(version.engine, version.name) for version in gone}]


def _members(release: Release | None) -> list[Name]:
    members = release.members.select_related("version") if release else ()
    return [(member.engine, member.version.name) for member in members]


def _is_here(use_case_key: str, name: Name) -> bool:
    return ArtifactStore(settings.artifact_root).folder(use_case_key, *name).is_dir()


def _send(use_case_key: str, remote: sync.Remote) -> Iterator[str]:
    """Store the versions that only this host has."""
    for version in present_versions(use_case_key):
        name = (version.engine, version.name)
        is_missing = _is_here(use_case_key, name) and not sync.is_remote(remote, use_case_key, *name)
        if is_missing and storage.store(use_case_key, *name):
            yield f"{version}: stored"


def _drop_gone(use_case_key: str) -> Iterator[str]:
    """Delete this host's copies of what was pruned on another."""
    store = ArtifactStore(settings.artifact_root)
    for version in ModelVersion.objects.filter(use_case=use_case_key, gone_at__isnull=False):
        if _is_here(use_case_key, (version.engine, version.name)):
            store.delete(use_case_key, version.engine, version.name)
            yield f"{version}: deleted here, it was pruned"
