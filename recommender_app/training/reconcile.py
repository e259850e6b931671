"""Repairs every disagreement between rows, folders and LIVE hints."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.utils import timezone

from recommender_app.artifacts.live_hint import delete_live_hint, read_live_hint
from recommender_app.artifacts.paths import MODELS, is_name
from recommender_app.artifacts.store import ArtifactStore
from recommender_app.conf import settings
from recommender_app.exceptions import ArtifactError, ArtifactTooNew, RegistryError
from recommender_app.models import ModelVersion, Release, TrainingRun
from recommender_app.registry import storage
from recommender_app.registry.adopting import adopt_version, check_adoptable, standing_of
from recommender_app.registry.leases import expired_runs
from recommender_app.registry.live import live_release, write_hint
from recommender_app.registry.promotable import check_restorable
from recommender_app.registry.releases import roll_back
from recommender_app.registry.retention import LOST, mark_gone, present_versions
from recommender_app.registry.runs import rescue_expired_runs
from recommender_app.training.retention import delete_artifact
from recommender_app.usecases.site import get_use_case

ORPHAN_SECONDS = 86_400.0  # by then whoever was publishing it has long registered it, or died
RECONCILER = "reconcile"  # who rolled back


@dataclass(frozen=True)
class Options:
    """What is repaired how.

    Attributes:
        dry_run: only tell.
        adopt: register a folder without a row as a candidate, whatever its age, instead of deleting it.
        orphan_seconds: how old a folder without a row must be to be deleted.
    """

    dry_run: bool = False
    adopt: bool = False
    orphan_seconds: float = ORPHAN_SECONDS


def reconcile(use_case_key: str, options: Options | None = None) -> list[str]:
    """Repair what is wrong with a use case and return a line for each repair.

    Runs whose process died, folders without a row, rows without a folder, a live release that
    does not open, the LIVE hint: in this order, each step sees what the one before has done.

    Raises:
        ArtifactError: not one artifact of many is there: ARTIFACT_ROOT is the wrong one, or not mounted.
    """
    return list(_Reconciliation(use_case_key, options or Options()).repairs())


class _Reconciliation:
    def __init__(self, use_case_key: str, options: Options) -> None:
        self.use_case, self.options = use_case_key, options
        self.root = settings.artifact_root
        self.store = ArtifactStore(self.root)

    def repairs(self) -> Iterator[str]:
        """Repair, and yield what was done."""
        self._check_root()
        for step in (self._runs, self._folders, self._rows, self._live, self._hint):
            yield from (f"{self.use_case}: {line}" for line in step())

    def _check_root(self) -> None:
        versions = list(present_versions(self.use_case))
        if len(versions) > 1 and not any(self._is_there(version) for version in versions):
            raise ArtifactError(
                f"None of the {len(versions)} artifacts of {self.use_case} is in {self.root}: is it mounted? "
                "Nothing was repaired."
            )

    def _runs(self) -> Iterator[str]:
        for run in expired_runs(use_case=self.use_case):
            yield f"run {run.pk} of {run.engine} has died: it is asked for again, or failed"
        self._do(lambda: rescue_expired_runs(use_case=self.use_case))

    def _folders(self) -> Iterator[str]:
        """Folders that no row stands for."""
        known = {(version.engine, version.name) for version in present_versions(self.use_case)}
        for folder in sorted((self.root / MODELS / self.use_case).glob("*/*")):
            engine, name = folder.parent.name, folder.name
            if (engine, name) in known or not (is_name(engine) and is_name(name) and folder.is_dir()):
                continue
            if self.options.adopt:
                yield from self._adopt(folder)
            elif time.time() - folder.stat().st_mtime > self.options.orphan_seconds:
                yield f"{name} has no row: its folder is deleted"
                self._do(partial(delete_artifact, self.use_case, engine, name))

    def _adopt(self, folder: Path) -> Iterator[str]:
        engine, name = folder.parent.name, folder.name
        if TrainingRun.objects.filter(
            use_case=self.use_case, engine=engine, status=TrainingRun.Status.RUNNING
        ).exists():
            yield f"{name} has no row yet: {engine} is being trained, ask again when that has ended"
            return
        try:
            use_case, manifest = get_use_case(self.use_case), self.store.open(self.use_case, engine, name).manifest
            check_adoptable(manifest, [use_case.users, use_case.items])
        except (ArtifactError, RegistryError) as error:
            yield f"{name} has no row and cannot be adopted: {error}"
            return
        is_rejected = standing_of(manifest)["status"] == ModelVersion.Status.REJECTED
        yield f"{name} has no row: it is {'rejected, as before' if is_rejected else 'a candidate now'}"
        self._do(lambda: adopt_version(manifest))

    def _rows(self) -> Iterator[str]:
        """Rows whose folder is nowhere; what is live comes later, it has to be replaced first."""
        live = live_release(self.use_case)
        members = {member.version_id for member in live.members.all()} if live else set()
        for version in present_versions(self.use_case).select_related("training_run"):
            if version.pk not in members and not self._is_being_sent(version) and not self._is_there(version):
                yield f"{version.name} has no folder: its row is history now"
                self._do(partial(mark_gone, [version], LOST))

    def _is_being_sent(self, version: ModelVersion) -> bool:
        """Tell whether the host that has trained a version may still be storing it: a row comes before the storage."""
        run = version.training_run
        goes_on = run is not None and run.status in (TrainingRun.Status.REQUESTED, TrainingRun.Status.RUNNING)
        is_young = (timezone.now() - version.created_at).total_seconds() < ORPHAN_SECONDS
        return settings.ARTIFACT_STORAGE is not None and (goes_on or is_young)

    def _live(self) -> Iterator[str]:
        live = live_release(self.use_case)
        problem = self._damage(live) if live else None
        if live is None or problem is None:
            return
        target = self._newest_whole(live)
        if target is None:
            yield f"{live} does not open ({problem}) and no release before it does: train again"
            return
        yield f"{live} does not open ({problem}): rolled back to release {target.number}"
        reason = f"Release {live.number} did not open: {problem}"
        self._do(lambda: roll_back(self.use_case, to=target.number, by=RECONCILER, reason=reason))
        lost = [version for version in live.versions.all() if not self._is_there(version)]
        self._do(lambda: mark_gone(lost, LOST))

    def _hint(self) -> Iterator[str]:
        live, hint = live_release(self.use_case), read_live_hint(self.root, self.use_case)
        if live is None:
            if (self.root / "LIVE" / self.use_case).exists():
                yield "nothing is live: the LIVE hint is deleted"
                self._do(lambda: delete_live_hint(self.root, self.use_case))
            return
        versions = {member.engine: member.version.name for member in live.members.all()}
        if hint is None or (hint.release, dict(hint.versions)) != (live.number, versions):
            yield f"the LIVE hint is missing or wrong: it names release {live.number} now"
            self._do(lambda: write_hint(self.use_case))

    def _newest_whole(self, live: Release) -> Release | None:
        """Return the newest earlier release that may be restored and opens; from later ones somebody went back."""
        earlier = Release.objects.filter(use_case=self.use_case, number__lt=live.number).order_by("-number")
        return next((release for release in earlier if self._is_whole(release)), None)

    def _is_whole(self, release: Release) -> bool:
        try:
            check_restorable(release)
        except RegistryError:
            return False
        return self._damage(release) is None

    def _damage(self, release: Release) -> str | None:
        """Return why a release cannot serve; what only other hosts have, or newer code reads, is no reason."""
        for version in release.versions.all():
            folder = self.store.folder(self.use_case, version.engine, version.name)
            if not folder.is_dir() and self._is_there(version):
                continue
            try:
                self.store.open(self.use_case, version.engine, version.name)
            except ArtifactTooNew:
                continue
            except ArtifactError as error:
                return str(error)
        return None

    def _is_there(self, version: ModelVersion) -> bool:
        """Tell whether a version has a folder here, or is where this host can fetch it."""
        folder = self.store.folder(self.use_case, version.engine, version.name)
        if folder.is_dir():
            return True
        return settings.ARTIFACT_STORAGE is not None and storage.is_stored(self.use_case, version.engine, version.name)

    def _do(self, repair: Callable[[], object]) -> None:
        if not self.options.dry_run:
            repair()
