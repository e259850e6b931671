"""An ensemble's artifact is a recipe; a release gives it its members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from recommender_app.artifacts.opening import OpenedArtifact
from recommender_app.engines.base import Engine
from recommender_app.engines.ensemble import MEMBER_VERSIONS, PLANNED, EnsembleEngine
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
    artifacts: dict[str, OpenedArtifact], problems: dict[str, str], notes: dict[str, str] | None = None
) -> tuple[dict[str, OpenedArtifact], Catalogue]:
    """Return the artifacts, ensembles with their members, and the catalogue over all of them.

    An ensemble none of whose members is loaded becomes a problem. One whose weights were fitted
    to other versions of its members falls back to rank fusion, see ``recipe_for``.

    Args:
        notes: takes {engine key: why it does not serve as it was trained}.
    """
    single = {key: artifact for key, artifact in artifacts.items() if not isinstance(artifact.engine, Recipe)}
    catalogue = Catalogue.of({key: artifact.items for key, artifact in single.items()})
    aligned = aligned_engines(single, catalogue)
    served = dict(single)
    for key, artifact in artifacts.items():
        if not isinstance(artifact.engine, Recipe):
            continue
        wanted = artifact.engine.weights
        if not wanted.keys() & aligned.keys():
            problems[key] = f"None of its members is loaded: {', '.join(sorted(wanted))}."
            continue
        recipe, note = recipe_for(artifact, {key: member.manifest.version for key, member in single.items()})
        absent = sorted(member for member, weight in wanted.items() if weight > 0 and member not in aligned)
        told = " ".join(text for text in (f"It serves without {', '.join(absent)}." * bool(absent), note) if text)
        if told and notes is not None:
            notes[key] = told
        served[key] = replace(artifact, engine=recipe.bind(aligned), items=catalogue.items)
        catalogue = catalogue.with_all_items(key)
    return served, catalogue


def aligned_engines(single: Mapping[str, OpenedArtifact], catalogue: Catalogue) -> dict[str, AlignedEngine]:
    """Return the engines over catalogue rows, as members of an ensemble."""
    return {
        key: AlignedEngine(artifact.engine, catalogue.to_engine[key], catalogue.from_engine[key])
        for key, artifact in single.items()
    }


def recipe_for(artifact: OpenedArtifact, versions: Mapping[str, str]) -> tuple[Any, str]:
    """Return the recipe that may serve with these versions, and "" or why it is not the one that was trained.

    Weights that were fitted to one version of a member say nothing of another one, whose scores
    have another scale: then ranks are fused instead, with the planned weights where both engines
    of the plan are there, else with equal ones, until the ensemble is trained again.

    Args:
        versions: {engine key: version name} of what is loaded.
    """
    engine: Any = artifact.engine
    fitted = artifact.manifest.config.get(MEMBER_VERSIONS) or {}
    others = {key: name for key, name in fitted.items() if key in versions and versions[key] != name}
    counted = [key for key, weight in engine.weights.items() if weight > 0 and key in versions]
    if not isinstance(engine, EnsembleEngine) or not set(counted) & set(others):
        return engine, ""
    weights = PLANNED if PLANNED.keys() <= versions.keys() else dict.fromkeys(counted, 1 / len(counted))
    told = ", ".join(f"{name} (now {versions[key]})" for key, name in sorted(others.items()))
    note = f"Its weights were fitted to {told}: it fuses ranks until it is trained again."
    return engine.with_weights(weights, "rrf"), note
