"""Keeps the overlay of a use case up to date, a few milliseconds at a time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from recommender_app.conf import settings
from recommender_app.dataset.ids import IdMap
from recommender_app.serving.database import DATABASE_ERRORS, savepoint
from recommender_app.serving.overlay_items import Encoder, LaidItems
from recommender_app.usecases.changed import changed_items
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.profiles import item_fields, load_features
from recommender_app.usecases.rows import microseconds

logger = logging.getLogger(__name__)

# A row is stamped before its transaction commits, by a clock that may be behind ours: each look
# reaches back this far, and items whose stamp is known cost nothing.
OVERLAP = timedelta(minutes=5)
BATCH = 50  # items whose features are read at once
BUDGET_SECONDS = 0.025  # of encoding per request while there is a backlog


class OverlayReader:
    """Reads what changed and encodes it; safe to share between threads, never raises.

    Every OVERLAY_SECONDS one request lists the changed items (one query), newest first, and
    encodes them in batches (the queries of ``load_features``). What does not fit into
    ``BUDGET_SECONDS`` is left to the next requests. Others use the state before.
    """

    def __init__(self, use_case: UseCase, encoders: Mapping[str, tuple[Encoder, IdMap]], since: datetime) -> None:
        """Remember what to do; nothing is read.

        Args:
            encoders: {engine key: (engine, its items)}, the judge first.
            since: up to when the judge knows the host's items.
        """
        self.use_case = use_case
        self.encoders = encoders
        self.laid = LaidItems()
        self._since = self._looked_until = microseconds(since)
        self._seen: dict[Any, int] = {}  # {id: stamp} of what is encoded, or could not be
        self._pending: dict[Any, int] = {}  # newest first
        self._looked_at: float | None = None  # monotonic seconds
        self._is_paused = False
        self._reported: set[str] = set()
        self._lock = threading.Lock()

    @property
    def n_pending(self) -> int:
        """How many changed items are known and not encoded yet."""
        return len(self._pending)

    def current(self) -> LaidItems:
        """Return the items to lay over, refreshed if it is time."""
        if self._is_due() and self._lock.acquire(blocking=False):
            try:
                self._refresh()
            finally:
                self._lock.release()
        return self.laid

    def _is_due(self) -> bool:
        return bool(self._pending and not self._is_paused) or self._is_time_to_look()

    def _is_time_to_look(self) -> bool:
        since = self._looked_at
        return since is None or time.monotonic() - since >= settings.OVERLAY_SECONDS

    def _refresh(self) -> None:
        started = time.monotonic()
        is_time_to_look = self._is_time_to_look()
        try:
            with savepoint(self.use_case.items):
                if is_time_to_look:
                    self._looked_at = started
                    self._look()
                self._encode_pending(started + BUDGET_SECONDS)
        except DATABASE_ERRORS as error:
            self._is_paused = True  # until the next look
            self._report("database", "New items of %s cannot be read: %s", self.use_case.key, error)
        except Exception as error:  # noqa: BLE001  a declaration that does not fit the data is no reason to fail
            self._is_paused = True
            self._report("declaration", "New items of %s cannot be laid over: %r", self.use_case.key, error)
        else:
            self._is_paused = False
            self._reported.discard("database")

    def _look(self) -> None:
        most = settings.OVERLAY_MAX_ITEMS
        now = microseconds(timezone.now())
        since = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=self._looked_until)
        found = changed_items(self.use_case, since - OVERLAP, most + 1)
        stamps = {item_id: microseconds(changed) for item_id, changed in found[:most]}
        if len(found) > most and min(stamps.values()) >= self._since:
            hint = "More than %s items of %s changed since training: only the newest are served before the next one."
            self._report("bound", hint, most, self.use_case.key)
        self._looked_until = max(self._looked_until, now)
        fresh = {item_id: stamp for item_id, stamp in stamps.items() if self._seen.get(item_id) != stamp}
        waiting = {**self._pending, **self._unknown(fresh)}
        newest_first = sorted(waiting.items(), key=lambda entry: entry[1], reverse=True)
        self._pending = dict(newest_first[:most])

    def _unknown(self, fresh: dict[Any, int]) -> dict[Any, int]:
        """Leave out what the judge was trained with and what has not changed since then."""
        before = [item_id for item_id, stamp in fresh.items() if stamp < self._since]
        _, items = next(iter(self.encoders.values()))
        trained_with = {item_id for item_id, row in zip(before, items.rows(before), strict=True) if row >= 0}
        self._seen.update({item_id: fresh[item_id] for item_id in trained_with})
        return {item_id: stamp for item_id, stamp in fresh.items() if item_id not in trained_with}

    def _encode_pending(self, until: float) -> None:
        while self._pending:
            batch = dict(list(self._pending.items())[:BATCH])
            self._encode(batch)
            self._pending = {item_id: stamp for item_id, stamp in self._pending.items() if item_id not in batch}
            if time.monotonic() >= until:
                break

    def _encode(self, batch: dict[Any, int]) -> None:
        """Add a batch; one that cannot be encoded is passed over, until its items change again."""
        try:
            features = load_features(item_fields(self.use_case), list(batch))
            encoded = {
                key: encoder.encode_items(features, items.rows(list(batch)))
                for key, (encoder, items) in self.encoders.items()
            }
        except DATABASE_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001  around an engine call: odd data must not stop the rest
            self._report("encoding", "Some new items of %s cannot be encoded: %r", self.use_case.key, error)
        else:
            self.laid = self.laid.updated(batch, encoded, settings.OVERLAY_MAX_ITEMS)
        self._seen.update(batch)
        if len(self._seen) > 2 * settings.OVERLAY_MAX_ITEMS:
            newest = sorted(self._seen.items(), key=lambda entry: entry[1])[-settings.OVERLAY_MAX_ITEMS :]
            self._seen = dict(newest)

    def _report(self, what: str, message: str, *values: Any) -> None:
        """Log a problem once."""
        if what not in self._reported:
            self._reported.add(what)
            logger.error(message, *values)
