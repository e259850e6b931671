"""One recommendation of a published version, from its folder as a web process reads it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

import numpy as np

from recommender_app.artifacts.opening import OpenedArtifact
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.dataset.dataset import Dataset
from recommender_app.engines.base import Engine
from recommender_app.engines.ensemble import MEMBER_VERSIONS, EnsembleEngine
from recommender_app.exceptions import ArtifactError, TrainingError
from recommender_app.models import ModelVersion
from recommender_app.registry.versions import versions_beside

logger = logging.getLogger(__name__)

N_USERS = 5  # sample users; one of them has to get something
N_ITEMS = 10


def smoke(version: ModelVersion, dataset: Dataset) -> int:
    """Return how many items a sample user is recommended by a version of this dataset.

    An ensemble is asked with the members that are or may go live and open here. 0 where it has
    none, or lacks one and finds nothing: of other data, so that only serving can put them beside
    each other, or missing or damaged, which says nothing about the ensemble.

    Raises:
        ArtifactError: its folder does not open.
        TrainingError: nobody of the sample gets anything.
    """
    artifact = _open(version)
    if isinstance(artifact.engine, EnsembleEngine) and not artifact.engine.members:
        return 0
    for row in _sample(dataset):
        history = dataset.matrix[row]
        weights = dict(zip(dataset.items.ids(history.indices), history.data.tolist(), strict=True))
        profile = dataset.user_features
        found = artifact.recommend(weights, N_ITEMS, (), profile.texts[row], profile.terms[row])
        if found:
            return len(found)
    if _lacks_members(artifact.engine):
        return 0
    raise TrainingError(f"{version} opens, but recommends nothing to {N_USERS} sample users: look at its data.")


def _sample(dataset: Dataset) -> list[int]:
    """Return rows of users with little history: for them there is most to recommend."""
    counts = dataset.positives.getnnz(axis=1)
    known = np.flatnonzero(counts)
    return [int(row) for row in known[np.argsort(counts[known], kind="stable")][:N_USERS]]


def _lacks_members(engine: Engine) -> bool:
    """Tell whether members that count in an ensemble could not be put beside it."""
    if not isinstance(engine, EnsembleEngine):
        return False
    return any(weight > 0 and key not in engine.members for key, weight in engine.weights.items())


def _open(version: ModelVersion) -> OpenedArtifact:
    store = ArtifactStore(settings.artifact_root)
    opened = store.open(version.use_case, version.engine, version.name)
    if not isinstance(opened.engine, EnsembleEngine):
        return opened
    members: Mapping[str, str] = version.config.get(MEMBER_VERSIONS) or versions_beside(
        version.use_case, opened.engine.weights, version.dataset_fingerprint
    )
    artifacts = dict(_opened_members(version, store, members))
    same_rows = {key: artifact.engine for key, artifact in artifacts.items() if artifact.items == opened.items}
    return OpenedArtifact(opened.engine.bind(same_rows), opened.items, opened.manifest, opened.path)


def _opened_members(
    version: ModelVersion, store: ArtifactStore, members: Mapping[str, str]
) -> Iterator[tuple[str, OpenedArtifact]]:
    """Yield the members that are here and whole; the others are not the ensemble's fault."""
    for key, name in members.items():
        try:
            yield key, store.open(version.use_case, key, name)
        except ArtifactError as error:
            logger.warning("%s is tried out without %s: %s", version, name, error)
