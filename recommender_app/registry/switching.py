"""The transaction in which one release takes the place of another."""

from __future__ import annotations

from collections.abc import Callable

from django.db import IntegrityError, OperationalError

from recommender_app.exceptions import RegistryBusy
from recommender_app.models import ModelVersion, Release
from recommender_app.registry.database import atomic
from recommender_app.registry.live import live_release, write_hint_on_commit

ATTEMPTS = 3  # the first promotion of a use case has nothing to wait on: who comes second counts again


def in_turn(use_case_key: str, switch: Callable[[Release | None], Release]) -> Release:
    """Run ``switch(live release)`` in a transaction; switches of one use case wait for each other.

    Raises:
        RegistryBusy: the database is busy or gone, or others keep coming first.
    """
    for _attempt in range(ATTEMPTS):
        try:
            with atomic():
                wait_for_others(use_case_key)
                release = switch(live_release(use_case_key))
                write_hint_on_commit(use_case_key)
                return release
        except IntegrityError:  # the database's constraints let nobody else through
            continue
        except OperationalError as error:
            raise RegistryBusy(f"The database refused ({error}): nothing of {use_case_key} was changed.") from error
    raise RegistryBusy(f"Other promotions of {use_case_key} keep coming first: try again in a moment.")


def retire(release: Release | None) -> None:
    """Take a release out of service; the place is free for another."""
    if release is not None:
        release.status = Release.Status.RETIRED
        release.save(update_fields=["status"])


def settle_versions(live: Release, before: Release | None, reason: str) -> None:
    """Members of the live release are ready; those that left with the one before are retired."""
    ready, retired = ModelVersion.Status.READY, ModelVersion.Status.RETIRED
    members = live.members.values("version_id")
    if before is not None:
        before.versions.exclude(pk__in=members).update(status=retired, reason=reason)
    ModelVersion.objects.filter(pk__in=members).update(status=ready, reason="")


def wait_for_others(use_case_key: str) -> None:
    """Queue up behind the use case's first release.

    A write instead of select_for_update, which SQLite ignores: it takes the row lock where there
    are row locks, and SQLite's write lock before anything has been read.
    """
    Release.objects.filter(use_case=use_case_key, number=1).update(number=1)
