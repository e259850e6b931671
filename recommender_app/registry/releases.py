"""Making a version live, restoring an earlier release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models import Max
from django.utils import timezone

from recommender_app.exceptions import RegistryError
from recommender_app.models import ModelVersion, Release, ReleaseMember, TrainingRun
from recommender_app.registry.live import live_release
from recommender_app.registry.promotable import (
    check_artifact,
    check_held,
    check_one_per_engine,
    check_promotable,
    check_restorable,
    wanted_of,
)
from recommender_app.registry.release_trail import record_promotion, record_roll_back
from recommender_app.registry.switching import in_turn, retire, settle_versions

__all__ = ["live_release", "promote", "promote_all", "roll_back"]

REASON_LENGTH = 200  # characters of Release.reason


def promote(version: ModelVersion, *, by: str, reason: str = "", force: bool = False) -> Release:
    """Make one version live; see ``promote_all``."""
    return promote_all([version], by=by, reason=reason, force=force)


def promote_all(
    versions: Sequence[ModelVersion],
    *,
    by: str,
    reason: str = "",
    force: bool = False,
    only_newer: bool = False,
    runs: Sequence[TrainingRun] = (),
) -> Release:
    """Make versions live together: one new release with them in the place of their engines' versions before.

    Args:
        force: also versions that the gate has rejected; the trail says so.
        only_newer: leave out a version where it or a newer one of its engine is live, unless that
            leaves none: what a training that was frozen between publishing and promoting must not undo.
        runs: what the versions come from; whoever has lost one of them promotes nothing.

    Raises:
        RegistryBusy: one of the runs was taken over; see below.
        RegistryError: a version is retired, rejected or live already, two are of one engine, or
            the database is busy.
        ArtifactError: an artifact folder does not open.
    """
    check_one_per_engine(versions)
    for version in versions:
        check_promotable(version, force=force)
        check_artifact(version)  # before the transaction: it reads whole files

    def switch(live: Release | None) -> Release:
        members = {member.engine: member.version for member in live.members.all()} if live else {}
        check_held(runs)
        wanted = wanted_of(versions, members) if only_newer else versions
        promoted = [_promotable(version, members, force) for version in wanted]
        retire(live)
        release = _new_release(versions[0].use_case, live, by, reason)
        _add_members(release, members | {version.engine: version for version in promoted})
        record_promotion(release, promoted, live, by=by, reason=reason)
        names = ", ".join(version.name for version in promoted)
        settle_versions(release, live, f"Replaced by {names} in release {release.number}.")
        return release

    release = in_turn(versions[0].use_case, switch)
    for version in versions:
        version.refresh_from_db(fields=["status", "reason"])
    return release


def roll_back(use_case_key: str, *, to: int | None = None, by: str, reason: str = "") -> Release:
    """Make an earlier release live again: the one before the live one, or number ``to``.

    The release keeps who promoted it and when; the trail says who rolled back.

    Raises:
        RegistryError: there is no such release, it is live already, one of its versions was
            rejected, or something else went live meanwhile.
        ArtifactError: an artifact folder of it does not open.
    """
    seen = live_release(use_case_key)
    target = _target(use_case_key, seen, to)
    check_restorable(target)
    for version in target.versions.all():
        check_artifact(version)

    def switch(live: Release | None) -> Release:
        if live != seen:
            raise RegistryError(f"Another release of {use_case_key} went live meanwhile: look at it, then try again.")
        check_restorable(target)
        retire(live)
        target.status = Release.Status.LIVE
        target.save(update_fields=["status"])
        record_roll_back(target, live, by=by, reason=reason)
        settle_versions(target, live, f"Rolled back to release {target.number}.")
        return target

    return in_turn(use_case_key, switch)


def _promotable(version: ModelVersion, live: Mapping[str, ModelVersion], force: bool) -> ModelVersion:
    """Return the row as it is now, locked."""
    current = ModelVersion.objects.select_for_update().get(pk=version.pk)
    check_promotable(current, force=force)
    if live.get(current.engine) == current:
        raise RegistryError(f"{current} is live already.")
    return current


def _target(use_case_key: str, live: Release | None, to: int | None) -> Release:
    if to is None:
        if live is None or live.previous is None:
            now = f"{live} is the first" if live else "nothing is live"
            raise RegistryError(f"There is no release of {use_case_key} to roll back to: {now}.")
        return live.previous
    target = Release.objects.filter(use_case=use_case_key, number=to).first()
    if target is None:
        raise RegistryError(f"There is no release {to} of {use_case_key}: recommender_models {use_case_key} lists all.")
    if target == live:
        raise RegistryError(f"{target} is live already.")
    return target


def _new_release(use_case_key: str, previous: Release | None, by: str, reason: str) -> Release:
    newest = Release.objects.filter(use_case=use_case_key).aggregate(number=Max("number"))["number"] or 0
    return Release.objects.create(
        use_case=use_case_key,
        number=newest + 1,
        status=Release.Status.LIVE,
        previous=previous,
        reason=reason[:REASON_LENGTH],
        promoted_by=by,
        promoted_at=timezone.now(),
    )


def _add_members(release: Release, members: dict[str, ModelVersion]) -> None:
    ReleaseMember.objects.bulk_create(
        ReleaseMember(release=release, engine=engine, version=version) for engine, version in sorted(members.items())
    )
