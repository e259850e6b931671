"""Versions that were trained with the data of somebody who is forgotten: when they go, and what takes their place.

Artifacts hold no ids of users, but they are what was learned from them. A version is affected if
its data were read before the tombstone; every later export leaves the user out. That is before its
run began where one export serves many engines, or the dataset was given.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.db.models.functions import Coalesce, Least

from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.models import ForgottenUser, ModelVersion, TrainingRun
from recommender_app.registry.database import atomic, current_time
from recommender_app.registry.live import live_release
from recommender_app.registry.pins import pinned_versions, releases_of_arms
from recommender_app.registry.retention import YOUNG_SECONDS, mark_gone, present_versions
from recommender_app.registry.runs import request_run
from recommender_app.registry.switching import wait_for_others
from recommender_app.training.retention import Pruned, delete_artifact, folder_size
from recommender_app.training.trainers import trainer_keys

logger = logging.getLogger(__name__)

PRIVACY = "privacy"  # who asks for the trainings
REASON = "It had learned from a user who is forgotten."
BEGAN = "recommender_began"  # when a version's data were read, or its training began
REQUESTED, RUNNING = TrainingRun.Status.REQUESTED, TrainingRun.Status.RUNNING


def affected_versions(use_case_key: str, forgotten_at: datetime) -> list[ModelVersion]:
    """Return the versions with an artifact whose data were read before a user was forgotten, oldest first."""
    return [version for version in _dated(use_case_key) if version.recommender_began < forgotten_at]  # type: ignore[attr-defined]


def has_affected(use_case_key: str, forgotten_at: datetime) -> bool:
    """Tell whether such a version is there, or may still come of a training that runs."""
    running = TrainingRun.objects.filter(use_case=use_case_key, status=RUNNING, started_at__lt=forgotten_at)
    return running.exists() or bool(affected_versions(use_case_key, forgotten_at))


def delete_affected(use_case_key: str, tombstones: Sequence[ForgottenUser], *, dry_run: bool = False) -> list[Pruned]:
    """Delete, and return, the affected versions that may go.

    What is live, pinned, can be rolled back to, or was made within the hour waits until a version
    of its engine that began after the tombstone is live; past ``versions_due_at`` nothing waits.
    """
    if not tombstones:
        return []
    if dry_run:
        versions = _deletable(use_case_key, tombstones)
    else:
        with atomic():
            wait_for_others(use_case_key)  # a promotion or roll back that comes first is seen here
            list(present_versions(use_case_key).select_for_update())
            versions = _deletable(use_case_key, tombstones)
            mark_gone(versions, REASON)
    store, found = ArtifactStore(settings.artifact_root), []
    for version in versions:
        size = folder_size(store.folder(use_case_key, version.engine, version.name))
        found.append(Pruned(use_case_key, "version", version.name, size))
        if not dry_run:
            delete_artifact(use_case_key, version.engine, version.name)
    return found


def request_retraining(use_case_key: str, forgotten_at: datetime, *, dry_run: bool = False) -> list[str]:
    """Ask for a training of the live engines that are affected, once; return the engines that wait for one.

    What is asked for at the same time has a slot of its own: one export, one fit of the ensemble
    and one release for all. A training that began before does not count: the next one is asked for
    when it has ended.
    """
    waiting, slot = [], f"{PRIVACY} {current_time():%Y-%m-%dT%H:%M:%S}"
    for engine, began in _live_since(use_case_key).items():
        if began >= forgotten_at or engine not in trainer_keys():
            continue
        waiting.append(engine)
        begun = TrainingRun.objects.filter(use_case=use_case_key, engine=engine)
        is_running = begun.filter(status=RUNNING).exists()
        later = begun.filter(Q(status=REQUESTED) | Q(started_at__gte=forgotten_at))
        is_asked = later.exclude(modelversion__data_read_at__lt=forgotten_at).exists()
        if not is_asked and not is_running and not dry_run:
            request_run(use_case_key, engine, requested_by=PRIVACY, slot=slot)
    return sorted(waiting)


@dataclass(frozen=True)
class _InUse:
    """What serves, or is about to: by engine when the live version began, and the keys of what is kept."""

    live_since: dict[str, datetime]
    live: frozenset[int]
    kept: frozenset[int]


def _deletable(use_case_key: str, tombstones: Sequence[ForgottenUser]) -> list[ModelVersion]:
    in_use, now = _in_use(use_case_key), current_time()
    found = []
    for version in _dated(use_case_key):
        began: datetime = version.recommender_began  # type: ignore[attr-defined]
        own = [tombstone for tombstone in tombstones if tombstone.forgotten_at > began]
        replaced_at = in_use.live_since.get(version.engine)
        is_superseded = replaced_at is not None and any(each.forgotten_at <= replaced_at for each in own)
        is_overdue = any(each.versions_due_at <= now for each in own)
        if own and (version.pk not in in_use.kept or is_superseded or is_overdue):
            found.append(version)
            if version.pk in in_use.live:
                logger.error("%s is live, and deleted: nothing has taken its place in time. %s", version, REASON)
    return found


def _in_use(use_case_key: str) -> _InUse:
    live = live_release(use_case_key)
    releases = [release for release in (live, live.previous if live else None) if release]
    releases += releases_of_arms(use_case_key)
    kept = {version.pk for release in releases for version in release.versions.all()}
    pinned = pinned_versions(use_case_key)
    since = current_time() - timedelta(seconds=YOUNG_SECONDS)
    candidates = present_versions(use_case_key).filter(status=ModelVersion.Status.CANDIDATE, created_at__gt=since)
    kept |= {version.pk for version in present_versions(use_case_key) if pinned.get(version.engine) == version.name}
    kept |= set(candidates.values_list("pk", flat=True))
    members = frozenset(member.version_id for member in live.members.all()) if live else frozenset()
    return _InUse(_live_since(use_case_key), members, frozenset(kept))


def _live_since(use_case_key: str) -> dict[str, datetime]:
    """Return {engine: when the training of its live version began}."""
    live = live_release(use_case_key)
    members = [member.version_id for member in live.members.all()] if live else []
    dated = _with_began(ModelVersion.objects.filter(pk__in=members))
    return dict(dated.values_list("engine", BEGAN))


def _dated(use_case_key: str) -> Iterable[ModelVersion]:
    return _with_began(present_versions(use_case_key)).order_by("pk")


def _with_began(versions):  # type: ignore[no-untyped-def]
    known = (Coalesce(F(name), F("created_at")) for name in ("data_read_at", "training_run__started_at"))
    return versions.annotate(**{BEGAN: Least(*known, F("created_at"))})  # LEAST with NULL is NULL on some databases
