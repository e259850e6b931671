"""Making a version live, restoring an earlier release."""

from __future__ import annotations

from django.db.models import Max
from django.utils import timezone

from recommender_app.exceptions import RegistryError
from recommender_app.models import ModelVersion, Release, ReleaseMember
from recommender_app.registry.live import live_release
from recommender_app.registry.promotable import check_artifact, check_not_rejected, check_promotable
from recommender_app.registry.switching import in_turn, retire, settle_versions

__all__ = ["live_release", "promote", "roll_back"]

REASON_LENGTH = 200  # characters of Release.reason


def promote(version: ModelVersion, *, by: str, reason: str = "") -> Release:
    """Make a version live: a new release with it in the place of its engine's version before.

    Raises:
        RegistryError: the version is retired, rejected or live already, or the database is busy.
        ArtifactError: its artifact folder does not open.
    """
    check_promotable(version)
    check_artifact(version)  # before the transaction: it reads whole files

    def switch(live: Release | None) -> Release:
        current = ModelVersion.objects.select_for_update().get(pk=version.pk)
        check_promotable(current)
        members = {member.engine: member.version for member in live.members.all()} if live else {}
        if members.get(current.engine) == current:
            raise RegistryError(f"{current} is live already.")
        members[current.engine] = current
        retire(live)
        release = _new_release(current.use_case, live, by, reason)
        _add_members(release, members)
        settle_versions(release, live, f"Replaced by {current.name} in release {release.number}.")
        return release

    release = in_turn(version.use_case, switch)
    version.refresh_from_db(fields=["status", "reason"])
    return release


def roll_back(use_case_key: str, *, to: int | None = None, by: str, reason: str = "") -> Release:
    """Make an earlier release live again: the one before the live one, or number ``to``.

    Raises:
        RegistryError: there is no such release, it is live already, one of its versions was
            rejected, or something else went live meanwhile.
        ArtifactError: an artifact folder of it does not open.
    """
    seen = live_release(use_case_key)
    target = _target(use_case_key, seen, to)
    check_not_rejected(target)
    for version in target.versions.all():
        check_artifact(version)

    def switch(live: Release | None) -> Release:
        if live != seen:
            raise RegistryError(f"Another release of {use_case_key} went live meanwhile: look at it, then try again.")
        check_not_rejected(target)
        retire(live)
        target.status = Release.Status.LIVE
        target.promoted_by, target.promoted_at, target.reason = by, timezone.now(), reason[:REASON_LENGTH]
        target.save(update_fields=["status", "promoted_by", "promoted_at", "reason"])
        settle_versions(target, live, f"Rolled back to release {target.number}.")
        return target

    return in_turn(use_case_key, switch)


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
