"""Releases that arms pin: loaded once per process, beside the live one, which serves where one cannot be loaded."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable

from recommender_app import conf
from recommender_app.models import Release
from recommender_app.serving.database import DATABASE_ERRORS, savepoint
from recommender_app.serving.loading import LoadedRelease
from recommender_app.serving.swapping import ReleaseSlot

logger = logging.getLogger(__name__)

MOST_PINS = 4  # of a use case in memory; the one that was asked for longest ago makes room
RETRY_SECONDS = 60.0  # how often one that could not be loaded is tried again


class PinnedRelease:
    """One release of a use case, whatever is live; safe to share between threads."""

    def __init__(self, use_case_key: str, number: int) -> None:
        self.number = number
        self.asked_at = 0.0
        self._use_case_key = use_case_key
        self._slot = ReleaseSlot(use_case_key)
        self._tried_at: float | None = None
        self._lock = threading.Lock()

    def loaded(self, live: LoadedRelease | None) -> LoadedRelease | None:
        """Return the release; None where it is not, or not yet, in memory: nobody waits for it."""
        self.asked_at = time.monotonic()
        found = self._found()
        if found is None and self._is_due() and self._lock.acquire(blocking=False):
            try:
                self._tried_at = time.monotonic()
                self._load(live)
            finally:
                self._lock.release()
        return self._found()

    def _found(self) -> LoadedRelease | None:
        release = self._slot.release
        return release if release is not None and release.number == self.number and release.artifacts else None

    def _is_due(self) -> bool:
        return self._tried_at is None or time.monotonic() - self._tried_at >= RETRY_SECONDS

    def _load(self, live: LoadedRelease | None) -> None:
        """Load it; what it shares with the live release stays open once."""
        try:
            with savepoint(Release):
                row = Release.objects.filter(use_case=self._use_case_key, number=self.number).first()
                versions = (
                    {each.engine: each.version.name for each in row.members.select_related("version")} if row else {}
                )
        except DATABASE_ERRORS as error:
            logger.error("The pinned release %s of %s cannot be read: %s", self.number, self._use_case_key, error)  # noqa: TRY400
            return
        if row is None:
            logger.error("An arm of %s pins release %s, which does not exist.", self._use_case_key, self.number)
            return
        self._slot.release = live
        self._slot.load_meanwhile(self.number, versions)


_pinned: dict[str, dict[int, PinnedRelease]] = {}  # by use case and number


def pinned(use_case_key: str, number: int, live: LoadedRelease | None) -> LoadedRelease | None:
    """Return a release by its number; None where it is not in memory, for whatever reason.

    Args:
        live: what is live; whatever versions the two share are in memory once.
    """
    if live is not None and live.number == number:
        return live
    pins = _pinned.setdefault(use_case_key, {})
    pin = pins.get(number) or pins.setdefault(number, PinnedRelease(use_case_key, number))
    found = pin.loaded(live)
    while len(pins) > MOST_PINS:
        oldest = min(list(pins.values()), key=lambda each: each.asked_at)
        pins.pop(oldest.number, None)
    return found


def pinned_numbers(use_case_key: str) -> frozenset[int]:
    """Return the numbers of the releases that are kept beside the live one."""
    return frozenset(_pinned.get(use_case_key, ()))


def leave(use_case_key: str, numbers: Iterable[int]) -> None:
    """Drop releases; requests that use them keep them until they end."""
    for number in numbers:
        _pinned.get(use_case_key, {}).pop(number, None)


def watched_name(use_case_key: str, number: int, engine: str) -> str:
    """Return what the breakers call an engine of a release: "als", or "als@7" of one beside the live one."""
    return f"{engine}@{number}" if number in _pinned.get(use_case_key, ()) else engine


def forget() -> None:
    """Drop everything that was loaded; the next request loads anew."""
    _pinned.clear()


conf.on_reload.append(forget)
