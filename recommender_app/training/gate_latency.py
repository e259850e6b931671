"""The question of speed: whether the new version answers as quickly as the live one."""

from __future__ import annotations

from statistics import median
from time import perf_counter

import numpy as np

from recommender_app.dataset.splits import Split
from recommender_app.engines.base import Engine, Rows
from recommender_app.engines.batch import RequestBatch, batch_of_users
from recommender_app.training.verdict import Check, Outcome

N_USERS = 50
N_PROPOSED = 100  # items a request asks an engine for
FLOOR_MS = 2.0  # a difference below it is noise of the machine
SPEED = "speed"


def check_latency(
    challenger: Engine, live: Engine, split: Split, user_rows: Rows, compared_with: str, max_slowdown: float
) -> Check:
    """Time ``candidates`` of both engines for the same users, in turns so that a busy machine slows both.

    Args:
        challenger, live: trained on ``split.train``.
        user_rows: (n,) users to choose N_USERS from.
    """
    chosen = user_rows[np.unique(np.linspace(0, len(user_rows) - 1, min(N_USERS, len(user_rows))).astype(np.int64))]
    batch = batch_of_users(split.train, chosen)
    times: dict[str, list[float]] = {"live": [], "challenger": []}
    for place in range(len(batch)):
        request = batch.rows(place, place + 1)
        for name, engine in (("live", live), ("challenger", challenger)):
            times[name].append(_milliseconds(engine, request))
    before, now = median(times["live"]), median(times["challenger"])
    numbers = {"live_ms": round(before, 3), "challenger_ms": round(now, 3), "n_users": len(batch)}
    sentence = f"{now:.2f} ms for one user's proposals, {compared_with} takes {before:.2f} ms"
    if now > max(max_slowdown * before, before + FLOOR_MS):
        return Check(
            SPEED, Outcome.REJECTED, f"It is too slow: {sentence}, at most {max_slowdown:g} times that.", numbers
        )
    return Check(SPEED, Outcome.PASSED, f"{sentence}.", numbers)


def _milliseconds(engine: Engine, request: RequestBatch) -> float:
    started = perf_counter()
    engine.candidates(request, N_PROPOSED)
    return (perf_counter() - started) * 1_000
