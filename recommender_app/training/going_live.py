"""What a training has published goes live together, in one release, or says why it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from recommender_app.exceptions import ArtifactMissing, RecommenderError, RegistryBusy
from recommender_app.models import ModelVersion, Release
from recommender_app.registry import releases
from recommender_app.training.claimed import ClaimedRuns
from recommender_app.training.fitted_beside import why_held_back
from recommender_app.training.summary import Ending, EngineResult


def may_go_live(result: EngineResult, *, force: bool) -> bool:
    """Tell whether the gate lets an engine's version through, or somebody forces it."""
    return result.ending == Ending.PASSED or (force and result.ending in (Ending.REJECTED, Ending.UNDECIDED))


def versions_going_live(results: Sequence[EngineResult], *, force: bool) -> list[ModelVersion]:
    """Return the versions that may go live."""
    return [each.model.version for each in results if each.model and may_go_live(each, force=force)]


def without_lost(results: Sequence[EngineResult], claimed: ClaimedRuns, *, force: bool) -> list[EngineResult]:
    """Leave to somebody else what somebody else has taken over meanwhile."""
    reason = "Its run was given up before it ended; another goes on."
    return [
        replace(each, ending=Ending.FAILED, reason=reason)
        if may_go_live(each, force=force) and claimed.is_lost(each.engine)
        else each
        for each in results
    ]


def promote_together(
    results: Sequence[EngineResult], claimed: ClaimedRuns, *, by: str, force: bool
) -> tuple[list[EngineResult], Release | None]:
    """Promote what may go live in one release; return it, None if there is none, and how each engine ended.

    What cannot be promoted now, but may be later, is noted as waiting in ``claimed``.
    """
    going = versions_going_live(results, force=force)
    results = [_unless_alone(each, going, claimed, force) for each in results]
    versions = versions_going_live(results, force=force)
    if not versions:
        return results, None
    release, refusal, chosen = None, "", {version.engine for version in versions}
    try:
        runs = claimed.runs_of(chosen)
        release = releases.promote_all(versions, by=by, force=force, only_newer=True, runs=runs)
    except RecommenderError as error:
        refusal = str(error)
        claimed.waiting |= chosen if isinstance(error, (RegistryBusy, ArtifactMissing)) else set()
    return [_settled(each, release, refusal) if each.engine in chosen else each for each in results], release


def _unless_alone(
    result: EngineResult, going: Sequence[ModelVersion], claimed: ClaimedRuns, force: bool
) -> EngineResult:
    """Hold back an ensemble whose members are not live yet: another process may go on with them."""
    if result.model is None or not may_go_live(result, force=force):
        return result
    reason = why_held_back(result.model.version, going)
    if not reason:
        return result
    claimed.waiting.add(result.engine)
    return replace(result, ending=Ending.FAILED, reason=reason)


def _settled(result: EngineResult, release: Release | None, refusal: str) -> EngineResult:
    """Return the result of a version after the promotion."""
    if result.model is None:
        return result
    result.model.version.refresh_from_db(fields=["status", "reason"])  # somebody else may have made it live
    if result.model.version.status != ModelVersion.Status.READY:
        reason = f"It stays a candidate: {refusal or 'a newer version is live already.'}"
        return replace(result, ending=Ending.FAILED, reason=reason)
    ending = Ending.PROMOTED if result.ending == Ending.PASSED else Ending.FORCED
    return replace(result, ending=ending, model=replace(result.model, release=release))
