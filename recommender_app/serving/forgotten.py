"""Users who are forgotten: strangers without a history, whose id is written nowhere.

A tombstone counts in every process within RELOAD_SECONDS: one request in that time asks whether
there are new ones, the others look into memory.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from recommender_app import conf
from recommender_app.exceptions import UnknownUseCase
from recommender_app.models import ForgottenUser, RequestLog
from recommender_app.registry.rereading import Rereading
from recommender_app.registry.tombstones import NOBODY, Tombstones, read_tombstones, stamp
from recommender_app.serving.database import DATABASE_ERRORS, savepoint
from recommender_app.serving.visitors import visitor_history
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.history import History, load_history
from recommender_app.usecases.site import get_use_case
from recommender_app.usecases.visitors import Visitor

logger = logging.getLogger(__name__)

# What hide_after hides is not said: rows that were kept hide still, on every rung, so the database decides.
NO_HISTORY = History([], np.empty(0, dtype=np.float32), np.empty(0, dtype=np.float32), 0)


class KnownTombstones:
    """What this process knows of who is forgotten; safe to share between threads."""

    def __init__(self) -> None:
        self.tombstones: Tombstones = NOBODY
        self._stamp = (0, 0)
        self._reported = ""  # the problem that was logged last; "" = there is none
        self._rereading = Rereading(self._read)

    def current(self) -> Tombstones:
        """Return the tombstones, as they were read last."""
        self._rereading.when_due()
        return self.tombstones

    def _read(self) -> None:
        """Look for new ones; where the database cannot say, those known before stay."""
        try:
            with savepoint(ForgottenUser):
                found = stamp()
                if found != self._stamp:
                    self.tombstones, self._stamp = read_tombstones(), found
        except DATABASE_ERRORS as error:
            self._report("unread", "Who is forgotten cannot be read, those known before stay so: %s", error)
        else:
            n_lost = self.tombstones.n_lost
            if n_lost:
                self._report("lost", "%s forgotten users cannot be recognised: see check_complete.", n_lost)
            else:
                self._reported = ""

    def _report(self, what: str, message: str, value: object) -> None:
        """Log a problem once, not every few seconds."""
        if self._reported != what:
            logger.error(message, value)
        self._reported = what


_known = KnownTombstones()


def is_forgotten(use_case: UseCase, user_id: Any) -> bool:
    """Tell whether a user is forgotten; no query, but for one in RELOAD_SECONDS.

    Args:
        user_id: the key in the host's own type, or its text.
    """
    tombstones = _known.current()
    return bool(tombstones) and tombstones.holds(use_case.users, user_id)


def logged_id(use_case: UseCase, user: Any) -> str:
    """Return what is written of a user: the external id as text, "" of one who is forgotten."""
    return "" if is_forgotten(use_case, user.pk) else str(user.pk)


def history_of_user(use_case: UseCase, user: Any) -> History:
    """Return the user's history as far as it may be used: none of one who is forgotten; a visitor's session."""
    if isinstance(user, Visitor):
        return visitor_history(use_case, user, conf.settings.HISTORY_LIMIT)
    if is_forgotten(use_case, user.pk):
        return NO_HISTORY
    return load_history(use_case, user, conf.settings.HISTORY_LIMIT)


def is_row_forgotten(tombstones: Tombstones, use_case_key: str, user_id: str) -> bool:
    """Tell whether a row that was written earlier is of somebody who is forgotten since."""
    if not tombstones or not user_id:
        return False
    try:
        return tombstones.holds(get_use_case(use_case_key).users, user_id)
    except UnknownUseCase:  # it is gone, and what its users were with it
        return False


def blank_forgotten_items(tombstones: Tombstones, row: RequestLog) -> bool:
    """Take the ids of those who are forgotten since out of an unsaved row; tell whether any was there."""
    if not tombstones or not isinstance(row.results, list):
        return False
    try:
        model = get_use_case(row.use_case).items
    except UnknownUseCase:
        return False
    places = [place for place in row.results if isinstance(place, dict) and place.get("item")]
    forgotten = tombstones.mask(model, [place["item"] for place in places])
    for place, is_one in zip(places, forgotten, strict=True):
        if is_one:
            place["item"] = ""
    return bool(forgotten.any())


def forget() -> None:
    """Drop what was read; the next request reads anew."""
    global _known
    _known = KnownTombstones()


conf.on_reload.append(forget)
