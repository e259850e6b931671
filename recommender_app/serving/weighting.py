"""A release with its ensembles as a policy wants them: other weights, another fusion, members switched off."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from recommender_app.artifacts.opening import OpenedArtifact
from recommender_app.engines.base import Engine
from recommender_app.engines.ensemble import EnsembleEngine
from recommender_app.serving.ensembles import aligned_engines
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.router import Policy

MOST_VARIANTS = 32  # of one release; policies that staff try out one after the other must not pile up


def as_decided(release: LoadedRelease, policy: Policy) -> LoadedRelease:
    """Return the release as the policy wants it; computed once per release and wish.

    An ensemble with no member left is taken out: the router goes on to the next engine.
    """
    if policy.weights is None and policy.fusion is None and not policy.disabled:
        return release
    wish = policy.ensemble_wish
    variant = release.variants.get(wish)
    if variant is None:
        if len(release.variants) >= MOST_VARIANTS:
            release.variants.clear()
        variant = release.variants.setdefault(wish, _variant(release, policy))
    return variant


def _variant(release: LoadedRelease, policy: Policy) -> LoadedRelease:
    recipes = {key: artifact for key, artifact in release.artifacts.items() if _is_ensemble(artifact.engine)}
    if not recipes:
        return release
    single = {
        key: artifact
        for key, artifact in release.artifacts.items()
        if key not in recipes and key not in policy.disabled
    }
    members = aligned_engines(single, release.catalogue)
    artifacts = {key: artifact for key, artifact in release.artifacts.items() if key not in recipes}
    for key, artifact in recipes.items():
        engine = _reweighted(release, key, policy, members)
        if engine is not None:
            artifacts[key] = replace(artifact, engine=engine)
    return replace(release, artifacts=artifacts, variants={})


def _reweighted(release: LoadedRelease, key: str, policy: Policy, members: dict[str, Any]) -> EnsembleEngine | None:
    """Return the ensemble with the policy's weights; the fusion stays the trained one unless the policy names one.

    Weights that somebody chose are not fitted to any version: the fallback to rank fusion is not for them.
    """
    served: Any = release.artifacts[key].engine
    trained: Any = _trained(release, key).engine
    source = served if policy.weights is None else trained
    weights = source.weights if policy.weights is None else policy.weights
    left = {member: weight for member, weight in weights.items() if member in members}
    if not any(weight > 0 for weight in left.values()):
        return None
    return source.with_weights(left, policy.fusion).bind(members)


def _trained(release: LoadedRelease, key: str) -> OpenedArtifact:
    return release.recipes.get(key) or release.artifacts[key]


def _is_ensemble(engine: Engine) -> bool:
    return isinstance(engine, EnsembleEngine)
