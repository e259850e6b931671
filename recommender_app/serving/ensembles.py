"""An ensemble's artifact is a recipe; a release gives it its members."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from recommender_app.artifacts.opening import OpenedArtifact
from recommender_app.engines.base import Engine
from recommender_app.engines.ensemble import EnsembleEngine
from recommender_app.serving.alignment import AlignedEngine
from recommender_app.serving.catalogue import Catalogue


def bind_ensembles(
    artifacts: dict[str, OpenedArtifact], problems: dict[str, str]
) -> tuple[dict[str, OpenedArtifact], Catalogue]:
    """Return the artifacts, ensembles with their members, and the catalogue over all of them.

    An ensemble none of whose members is loaded becomes a problem.
    """
    single = {key: artifact for key, artifact in artifacts.items() if not _is_ensemble(artifact)}
    catalogue = Catalogue.of({key: artifact.items for key, artifact in single.items()})
    members: dict[str, Engine] = {
        key: AlignedEngine(artifact.engine, catalogue.to_engine[key], catalogue.from_engine[key])
        for key, artifact in single.items()
    }
    served = dict(single)
    for key in sorted(artifacts.keys() - single.keys()):
        bound = cast(EnsembleEngine, artifacts[key].engine).bind(members)
        if bound.members:
            served[key] = replace(artifacts[key], engine=bound, items=catalogue.items)
            catalogue = catalogue.with_all_items(key)
        else:
            problems[key] = f"None of its members is loaded: {', '.join(sorted(bound.weights))}."
    return served, catalogue


def _is_ensemble(artifact: OpenedArtifact) -> bool:
    return isinstance(artifact.engine, EnsembleEngine)
