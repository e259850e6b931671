"""The release that each use case serves in this process.

``ready()`` loads what the LIVE hints name, without a query. The release row is the truth: the
first request, and then one request every RELOAD_SECONDS, compares with it and swaps one
reference; where there is much to verify, a thread of the process does it meanwhile. Whatever goes
wrong while loading, the release before it goes on serving.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from recommender_app import conf
from recommender_app.artifacts.live_hint import live_use_cases, read_live_hint
from recommender_app.models import Release
from recommender_app.registry import rereading
from recommender_app.registry.releases import live_release
from recommender_app.serving.database import DATABASE_ERRORS, savepoint
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.process import is_to_serve
from recommender_app.serving.router import Policy
from recommender_app.serving.swapping import ReleaseSlot
from recommender_app.serving.weighting import as_decided

logger = logging.getLogger(__name__)

RETRY_SECONDS = 60.0  # how often artifacts that could not be opened are tried again


class LiveRelease:
    """The loaded release of one use case; safe to share between threads."""

    def __init__(self, use_case_key: str) -> None:
        self.use_case_key = use_case_key
        self.slot = ReleaseSlot(use_case_key)
        self._verified_at: float | None = None  # monotonic seconds; None = never compared with the database
        self._is_row_readable = True
        self._lock = threading.Lock()

    @property
    def release(self) -> LoadedRelease | None:
        """What is served."""
        return self.slot.release

    def verified(self) -> LoadedRelease | None:
        """Return the live release, compared with the database at most every RELOAD_SECONDS.

        While one thread compares, others wait shortly: what an idle process serves may be hours old. Where it
        loads for longer, they are served from the release before; where there is none yet, they wait for it.
        """
        if self._is_due() and self._lock.acquire(timeout=self._patience()):
            try:
                if self._is_due():
                    self._verify()
                    self._verified_at = time.monotonic()
            finally:
                self._lock.release()
        return self.release

    @property
    def is_row_readable(self) -> bool:
        """Whether the database could be read when it was asked last."""
        return self._is_row_readable

    def _has_nothing(self) -> bool:
        """Tell whether nothing was loaded at start and the database was never asked."""
        return self._verified_at is None and self.release is None

    def _patience(self) -> float:
        """Return how many seconds to wait for another thread, -1 = as long as it takes."""
        if self._has_nothing():
            return -1
        return rereading.LONGEST_WAIT if conf.settings.RELOAD_SECONDS else 0

    def _is_due(self) -> bool:
        since = self._verified_at
        return since is None or time.monotonic() - since >= conf.settings.RELOAD_SECONDS

    def _verify(self) -> None:
        try:
            with savepoint(Release):
                row = live_release(self.use_case_key)
                versions = {member.engine: member.version.name for member in row.members.all()} if row else {}
        except DATABASE_ERRORS as error:
            self._report_unreadable(error)
            return
        self._is_row_readable = True
        if row is None:
            self.slot.empty()
        elif self.slot.attempted != (row.number, versions) or self._is_retry_due(row.number):
            self._load(row.number, versions)
        else:
            self.slot.stay()

    def _load(self, number: int, versions: Mapping[str, str]) -> None:
        """Load a release: whoever has nothing waits for it, others are answered by the release before."""
        if self._has_nothing():
            self.slot.load(number, versions)
        else:
            self.slot.load_meanwhile(number, versions)

    def _is_retry_due(self, number: int) -> bool:
        is_whole = self.release is not None and self.release.number == number and not self.release.problems
        return not is_whole and time.monotonic() - self.slot.attempted_at >= RETRY_SECONDS

    def _report_unreadable(self, error: Exception) -> None:
        if self._is_row_readable:
            logger.error("The live release of %s cannot be read: %s", self.use_case_key, error)
        self._is_row_readable = False


_live: dict[str, LiveRelease] = {}
_overrides: dict[str, LoadedRelease] = {}


def preload() -> None:
    """Load what the LIVE hints name, if this process serves (setting PRELOAD); never raises."""
    try:
        if is_to_serve():
            _load_hints()
    except Exception:
        logger.exception("The live models could not be loaded at start; requests will try again.")


def current(use_case_key: str, policy: Policy | None = None) -> LoadedRelease | None:
    """Return the release that answers now, its ensembles as the policy wants them; None where nothing is live."""
    override = _overrides.get(use_case_key)
    release = override if override is not None else _of(use_case_key).verified()
    return release if release is None or policy is None else as_decided(release, policy)


def is_row_readable(use_case_key: str) -> bool:
    """Return whether the live release could be read from the database when it was looked for last."""
    return _of(use_case_key).is_row_readable


def waits_for(use_case_key: str) -> str:
    """Return which release cannot be loaded here, and why; empty if none."""
    return _of(use_case_key).slot.waits_for


def forget() -> None:
    """Drop everything that was loaded; the next request loads anew."""
    _live.clear()


@contextmanager
def overridden(release: LoadedRelease) -> Iterator[None]:
    """Serve ``release`` for its use case inside the block, whatever the database says; for tests."""
    before = _overrides.get(release.use_case)
    _overrides[release.use_case] = release
    try:
        yield
    finally:
        _overrides.pop(release.use_case)
        if before is not None:
            _overrides[release.use_case] = before


def _of(use_case_key: str) -> LiveRelease:
    return _live.setdefault(use_case_key, LiveRelease(use_case_key))


def _load_hints() -> None:
    root = conf.settings.artifact_root
    for use_case_key in live_use_cases(root):
        hint = read_live_hint(root, use_case_key)
        if hint is not None:
            _of(use_case_key).slot.load(hint.release, hint.versions)


conf.on_reload.append(forget)
