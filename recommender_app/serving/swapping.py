"""The release that is served, and the one that is about to take its place."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping

from recommender_app.serving.loading import LoadedRelease, load_release, n_bytes_to_verify

logger = logging.getLogger(__name__)

INLINE_BYTES = 4_000_000  # of artifacts that a request verifies itself: about 10 ms
PATIENCE_SECONDS = 60.0  # for a thread; some servers (uWSGI without enable-threads) never run it

Wanted = tuple[int, dict[str, str]]  # number, {engine: version name}


class ReleaseSlot:
    """Holds the served release of one use case; safe to share between threads.

    Attributes:
        release: None = nothing is live.
        waits_for: the release that cannot be loaded here, and why; "" = none.
        attempted: what was loaded last, or failed to.
        attempted_at: monotonic seconds.
    """

    def __init__(self, use_case_key: str) -> None:
        self.use_case_key = use_case_key
        self.release: LoadedRelease | None = None
        self.waits_for = ""
        self.attempted: Wanted | None = None
        self.attempted_at = 0.0
        self._wanted: Wanted | None = None
        self._began_at = 0.0
        self._loader: threading.Thread | None = None
        self._swap = threading.Lock()

    def load(self, number: int, versions: Mapping[str, str]) -> None:
        """Load a release and swap it in; on any error the one before it stays."""
        self._want((number, dict(versions)))
        self._load((number, dict(versions)))

    def load_meanwhile(self, number: int, versions: Mapping[str, str]) -> None:
        """Load a release in a thread while the one before it answers; a small one at once.

        Whoever reads hundreds of megabytes to verify them must not be somebody's request. A
        process that forks does not fork a loading thread: only requests begin one.
        """
        wanted = (number, dict(versions))
        if self._wanted != wanted:
            self._want(wanted)  # what a thread still loads is not swapped in any more
        is_busy = self._loader is not None and self._loader.is_alive()
        is_stuck = is_busy and time.monotonic() - self._began_at > PATIENCE_SECONDS
        if is_stuck or n_bytes_to_verify(self.use_case_key, versions, self.release) <= INLINE_BYTES:
            self._load(wanted)
        elif not is_busy:
            logger.info("Release %s of %s is loaded; the one before answers meanwhile.", number, self.use_case_key)
            self._began_at = time.monotonic()
            self._loader = threading.Thread(target=self._load, args=(wanted,), name="recommender-load", daemon=True)
            try:
                self._loader.start()
            except RuntimeError:  # the system allows no more threads
                self._load(wanted)

    def stay(self) -> None:
        """What was loaded last is live (again): whatever is being loaded is not swapped in."""
        with self._swap:
            self._wanted = self.attempted

    def is_loading(self, number: int, versions: Mapping[str, str]) -> bool:
        """Tell whether a thread is loading this release."""
        is_busy = self._loader is not None and self._loader.is_alive()
        return is_busy and self._wanted == (number, dict(versions))

    def empty(self) -> None:
        """Serve nothing; whatever is being loaded is not swapped in."""
        with self._swap:
            self._wanted = self.release = self.attempted = None

    def _want(self, wanted: Wanted) -> None:
        with self._swap:
            self._wanted, self.waits_for = wanted, ""

    def _load(self, wanted: Wanted) -> None:
        number, versions = wanted
        release, waits_for = None, ""
        try:
            release = load_release(self.use_case_key, number, versions, self.release)
        except Exception as error:
            waits_for = f"release {number} cannot be loaded here, the one before goes on: {error}"
            logger.exception("Release %s of %s cannot be loaded.", number, self.use_case_key)
        with self._swap:
            if self._wanted == wanted:  # else another one was promoted meanwhile
                self.release, self.waits_for = release or self.release, waits_for
                self.attempted, self.attempted_at = wanted, time.monotonic()
