"""One row per answer. Only a dead connection gets a second try; no answer fails because of its row."""

from __future__ import annotations

import itertools
import logging
from typing import Any

from recommender_app.models import RequestLog
from recommender_app.serving.answer import Answer, Result
from recommender_app.serving.database import retried, savepoint

logger = logging.getLogger(__name__)

_losses = itertools.count(1)
_n_lost = 0


def write(answer: Answer) -> bool:
    """Insert the answer's row; return whether it is stored. A loss is logged and counted."""
    try:
        with savepoint(RequestLog, writes=True):
            retried(lambda: row_of(answer).save(force_insert=True))
    except Exception:  # noqa: BLE001  around the log writer: whatever happens, the answer goes out
        count_loss(answer, with_traceback=True)
        return False
    return True


def count_loss(answer: Answer, *, with_traceback: bool = False) -> None:
    """Record that an answer has no row: what it was is left in the application's log."""
    global _n_lost
    _n_lost = next(_losses)
    items = ",".join(str(result.id) for result in answer.results)
    logger.error(
        "Request %s of %s for user %s is not in the request log: engine %s, items %s.",
        answer.request_id,
        answer.use_case,
        answer.user_id,
        answer.engine,
        items or "none",
        exc_info=with_traceback,
    )


def n_lost() -> int:
    """Return how many answers of this process have no row."""
    return _n_lost


def row_of(answer: Answer) -> RequestLog:
    """Return the unsaved row of an answer; a later page names the first one as its ``candidate_source``."""
    return RequestLog(
        request_id=answer.request_id,
        use_case=answer.use_case,
        user_id=answer.user_id,
        requested_limit=answer.limit,
        n_results=len(answer.results),
        results=[_logged(result) for result in answer.results],
        engine=answer.engine,
        model_version=answer.model_version,
        release=answer.release,
        fallback_reason=answer.fallback_reason,
        policy=answer.policy,
        interaction_count=answer.interaction_count,
        latency_ms=answer.latency_ms,
        engine_ms=dict(answer.engine_ms),
        candidate_source=answer.candidate_source or (answer.slate.hex if answer.slate else None),
    )


def _logged(result: Result) -> dict[str, Any]:
    place = {"item": str(result.id), "rank": result.rank, "score": result.score, "source": result.source}
    return place if result.propensity is None else {**place, "propensity": result.propensity}
