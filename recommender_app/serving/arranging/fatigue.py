"""Items that a user was shown again and again and ignored."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from recommender_app.conf import settings
from recommender_app.models import RequestLog
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.history import History
from recommender_app.usecases.rules import MOST_DAYS

N_ANSWERS = 50  # most recent answers that are looked at: bounds the query whatever the log holds


def tired_ids(use_case: UseCase, user: Any, history: History, shown_times: int, now: datetime) -> frozenset[str]:
    """Return, as text, the ids of items shown at least ``shown_times`` within FATIGUE_DAYS and ignored since.

    One query over an index: the user's last N_ANSWERS rows of the request log. An interaction
    with the item makes the showings before it count no more.
    """
    since = now - timedelta(days=min(settings.FATIGUE_DAYS, MOST_DAYS))
    met_at = {
        str(item_id): now - timedelta(days=min(float(age), MOST_DAYS))
        for item_id, age in zip(history.item_ids, history.ages_days, strict=True)
    }
    rows = RequestLog.objects.filter(use_case=use_case.key, user_id=str(user.pk)).order_by("-id")
    shown: Counter[str] = Counter()
    for created_at, results in rows.values_list("created_at", "results")[:N_ANSWERS]:
        if created_at >= since:
            shown.update(_ignored(results, created_at, met_at))
    return frozenset(item_id for item_id, times in shown.items() if times >= shown_times)


def _ignored(results: Any, shown_at: datetime, met_at: dict[str, datetime]) -> set[str]:
    items = {str(result.get("item")) for result in results if isinstance(result, dict)}
    return {item for item in items if item not in met_at or met_at[item] <= shown_at}
