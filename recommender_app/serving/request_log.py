"""One row per answer: into the table, else into the spool, else counted as lost. No answer fails because of its row."""

from __future__ import annotations

import itertools
import logging
import time

from recommender_app import conf
from recommender_app.conf import settings
from recommender_app.serving.answer import Answer
from recommender_app.serving.log_rows import Values, insert, values_of
from recommender_app.serving.spool.writing import append

logger = logging.getLogger(__name__)

DATABASE, SPOOL = "database", "spool"
SAY_SECONDS = 60.0  # a table that refuses every row is in the application's log once a minute

_losses, _spoolings = itertools.count(1), itertools.count(1)
_n_lost = _n_spooled = 0
_said_at = float("-inf")


def write(answer: Answer) -> bool:
    """Store the answer's row; return False where it is lost, which is logged and counted."""
    return _kept(answer, tries_table=settings.LOG_WRITER == DATABASE)


def write_later(answer: Answer) -> bool:
    """Store the answer's row without asking the database, which has just failed; return False where it is lost."""
    return _kept(answer, tries_table=False)


def n_lost() -> int:
    """Return how many answers of this process have no row anywhere."""
    return _n_lost


def n_spooled() -> int:
    """Return how many rows this process has put into the spool."""
    return _n_spooled


def _kept(answer: Answer, *, tries_table: bool) -> bool:
    try:
        values = values_of(answer)
        if not (tries_table and _is_inserted(values)):
            _spool(values)
    except Exception:  # noqa: BLE001  around the log writer: whatever happens, the answer goes out
        _count_loss(answer)
        return False
    return True


def _is_inserted(values: Values) -> bool:
    try:
        insert(values)
    except Exception:  # noqa: BLE001  around the log writer: whatever the table refuses for, the spool takes
        _say_why()
        return False
    return True


def _spool(values: Values) -> None:
    global _n_spooled
    append(values)
    _n_spooled = next(_spoolings)


def _say_why() -> None:
    global _said_at
    now = time.monotonic()
    if now - _said_at >= SAY_SECONDS:
        _said_at = now
        logger.exception("The request log refuses rows; they go to the spool, from where recommender_drain takes them.")


def _count_loss(answer: Answer) -> None:
    """Record that an answer has no row: what it was is left in the application's log."""
    global _n_lost
    _n_lost = next(_losses)
    logger.exception(
        "Request %s of %s for user %s is in neither the request log nor the spool: engine %s, items %s.",
        answer.request_id,
        answer.use_case,
        answer.user_id,
        answer.engine,
        ",".join(str(result.id) for result in answer.results) or "none",
    )


def _forget() -> None:
    global _said_at
    _said_at = float("-inf")


conf.on_reload.append(_forget)
