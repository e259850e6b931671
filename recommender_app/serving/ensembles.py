"""An ensemble's artifact is a recipe; a release gives it its members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol, runtime_checkable

from recommender_app.artifacts.opening import OpenedArtifact
from recommender_app.engines.base import Engine
from recommender_app.serving.alignment import AlignedEngine
from recommender_app.serving.catalogue import Catalogue


@runtime_checkable
class Recipe(Protocol):
    """An engine that scores with others.

    Attributes:
        weights: engine key -> weight of every member it was made for.
        members: engine key -> engine of those it has.
    """

    weights: Mapping[str, float]
    members: Mapping[str, Engine]

    def bind(self, members: Mapping[str, Engine]) -> Engine:
        """Return the recipe with those of ``members`` that it names; all live in one row space."""


def bind_ensembles(
    artifacts: dict[str, OpenedArtifact], problems: dict[str, str]
) -> tuple[dict[str, OpenedArtifact], Catalogue]:
    """Return the artifacts, ensembles with their members, and the catalogue over all of them.

    An ensemble none of whose members is loaded becomes a problem.
    """
    single = {key: artifact for key, artifact in artifacts.items() if not isinstance(artifact.engine, Recipe)}
    catalogue = Catalogue.of({key: artifact.items for key, artifact in single.items()})
    aligned = {
        key: AlignedEngine(artifact.engine, catalogue.to_engine[key], catalogue.from_engine[key])
        for key, artifact in single.items()
    }
    served = dict(single)
    for key, artifact in artifacts.items():
        if not isinstance(artifact.engine, Recipe):
            continue
        wanted = artifact.engine.weights
        if not wanted.keys() & aligned.keys():
            problems[key] = f"None of its members is loaded: {', '.join(sorted(wanted))}."
            continue
        served[key] = replace(artifact, engine=artifact.engine.bind(aligned), items=catalogue.items)
        catalogue = catalogue.with_all_items(key)
    return served, catalogue
