"""From a release's version names to engines that can answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from recommender_app.artifacts.opening import OpenedArtifact, read_manifest
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.exceptions import ArtifactError, ArtifactTooNew
from recommender_app.registry.pins import pinned_versions
from recommender_app.serving.catalogue import Catalogue, majority_kind
from recommender_app.serving.ensembles import Recipe, bind_ensembles

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedRelease:
    """A release in memory; never changed, only replaced.

    Attributes:
        use_case, number: which release.
        versions: {engine key: version name} of all members.
        artifacts: {engine key: opened artifact} of those that could be loaded.
        catalogue: the row space over ``artifacts``.
        problems: {engine key: reason} of those that could not.
        notes: {engine key: why it does not serve as it was trained}.
        pinned: engines whose version the environment chose.
        recipes: ensembles as they were opened, without members.
        variants: the release with its ensembles as policies want them, see ``weighting``.
    """

    use_case: str
    number: int
    versions: Mapping[str, str]
    artifacts: Mapping[str, OpenedArtifact]
    catalogue: Catalogue
    problems: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    pinned: frozenset[str] = frozenset()
    recipes: Mapping[str, OpenedArtifact] = field(default_factory=dict)
    variants: dict[Any, LoadedRelease] = field(default_factory=dict, repr=False, compare=False)


def load_release(
    use_case: str, number: int, versions: Mapping[str, str], previous: LoadedRelease | None = None
) -> LoadedRelease:
    """Open every member of a release; one that cannot be opened and never was becomes a problem, logged once.

    Args:
        versions: {engine key: version name}; what the environment pins takes their place.
        previous: the release served until now; members with the same version are kept open.

    Raises:
        ArtifactTooNew: a member needs newer code than this process runs, which has a release to
            go on with: it will be restarted soon.
        ArtifactError: a member is missing or damaged here, and its engine serves in the release before:
            all of that goes on until ``recommender_sync`` or somebody has repaired it.
    """
    store = ArtifactStore(settings.artifact_root)
    pinned = pinned_versions(use_case)
    versions = {**versions, **pinned}
    notes: dict[str, str] = {}
    artifacts: dict[str, OpenedArtifact] = {}
    problems: dict[str, str] = {}
    for engine, version in sorted(versions.items()):
        opened = _kept(previous, engine, version) or _open(store, use_case, engine, version, previous)
        if isinstance(opened, str):
            problems[engine] = opened
        else:
            artifacts[engine] = opened
    problems |= _set_aside_other_kinds(artifacts)
    recipes = {engine: artifact for engine, artifact in artifacts.items() if isinstance(artifact.engine, Recipe)}
    artifacts, catalogue = bind_ensembles(artifacts, problems, notes)
    _log_new_problems(use_case, number, problems, previous.problems if previous else {})
    _log_new_notes(use_case, number, notes, previous.notes if previous else {})
    return LoadedRelease(use_case, number, versions, artifacts, catalogue, problems, notes, frozenset(pinned), recipes)


def n_bytes_to_verify(use_case: str, versions: Mapping[str, str], previous: LoadedRelease | None) -> int:
    """Return how many bytes ``load_release`` reads to verify them; what is kept open is verified already."""
    store, size = ArtifactStore(settings.artifact_root), 0
    for engine, version in {**versions, **pinned_versions(use_case)}.items():
        if _kept(previous, engine, version) is None:
            with suppress(ArtifactError):  # it cannot be opened, and that is found out at once
                size += read_manifest(store.folder(use_case, engine, version)).size_bytes
    return size


def _kept(previous: LoadedRelease | None, engine: str, version: str) -> OpenedArtifact | None:
    if previous is None or previous.versions.get(engine) != version:
        return None
    return previous.recipes.get(engine) or previous.artifacts.get(engine)


def _open(
    store: ArtifactStore, use_case: str, engine: str, version: str, previous: LoadedRelease | None
) -> OpenedArtifact | str:
    """Return the opened artifact, or why it cannot be opened."""
    try:
        return store.open(use_case, engine, version)
    except ArtifactError as error:
        if previous is not None and (isinstance(error, ArtifactTooNew) or _has(previous, engine)):
            raise
        return str(error)
    except Exception as error:
        logger.exception("Opening %s of %s failed in an unforeseen way.", version, use_case)
        return f"{type(error).__name__}: {error}"


def _has(release: LoadedRelease, engine: str) -> bool:
    return engine in release.artifacts or engine in release.recipes


def _set_aside_other_kinds(artifacts: dict[str, OpenedArtifact]) -> dict[str, str]:
    kind = majority_kind({engine: artifact.items for engine, artifact in artifacts.items()})
    others = [engine for engine, artifact in artifacts.items() if artifact.items.kind != kind]
    reason = "Its ids are {}, those of the other engines {}: train it again."
    return {engine: reason.format(artifacts.pop(engine).items.kind, kind) for engine in others}


def _log_new_problems(use_case: str, number: int, problems: dict[str, str], known: Mapping[str, str]) -> None:
    for engine, reason in problems.items():
        if known.get(engine) != reason:
            logger.error("Release %s of %s serves without %s: %s", number, use_case, engine, reason)


def _log_new_notes(use_case: str, number: int, notes: dict[str, str], known: Mapping[str, str]) -> None:
    for engine, note in notes.items():
        if known.get(engine) != note:
            logger.warning("Release %s of %s, %s: %s", number, use_case, engine, note)
