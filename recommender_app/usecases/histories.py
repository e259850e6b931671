"""What many users have done, in a constant number of queries: for lists of everybody.

The rule is ``load_history``'s: the same rows of each user make the same ``History``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.history import History, history_of
from recommender_app.usecases.rows import EVENT, ITEM, STRENGTH, TIME, USER, interaction_rows, microseconds

PLACE = "recommender_place"  # 1 = the user's newest interaction in a source


def load_histories(
    use_case: UseCase, user_ids: Sequence[Any], limit: int, *, now: datetime | None = None
) -> dict[Any, History]:
    """Return {user id: history} of the most recent ``limit`` interactions of each user.

    One query per source, and one more for all users who have at least ``limit`` interactions:
    theirs are counted by the database. Users without any have an empty history.
    """
    moment = microseconds(now or timezone.now())
    rows = _newest_rows(use_case, user_ids, limit)
    cut_off = [user_id for user_id in user_ids if len(rows[user_id]) >= limit]
    counts = _counted(use_case, cut_off) if cut_off else Counter()
    found = {}
    for user_id in user_ids:
        count = counts[user_id] or len({(item, event) for item, event, _, _ in rows[user_id]})
        found[user_id] = history_of(use_case, rows[user_id], moment, count)
    return found


def hidden_ids_of(use_case: UseCase, user_ids: Collection[Any]) -> dict[Any, list[Any]]:
    """Return {user id: external ids that ``hide_after`` hides from the user}, in one query per source."""
    found: defaultdict[Any, dict[Any, None]] = defaultdict(dict)
    for source in use_case.sources if use_case.hide_after else ():
        rows = interaction_rows(source, use_case.hide_after).filter(**{f"{USER}__in": list(user_ids)})
        for user_id, item_id in rows.values_list(USER, ITEM):
            found[user_id][item_id] = None
    return {user_id: list(found[user_id]) for user_id in user_ids}


def _newest_rows(use_case: UseCase, user_ids: Collection[Any], limit: int) -> defaultdict[Any, list[Any]]:
    """Return {user id: up to ``limit`` rows, newest first}, as ``history_of`` wants them."""
    found: defaultdict[Any, list[Any]] = defaultdict(list)
    for rows in _rows_of(use_case, user_ids):
        order = (F(TIME).desc(), F(ITEM), F(EVENT))
        newest = rows.annotate(**{PLACE: Window(RowNumber(), partition_by=F(USER), order_by=order)})
        columns = newest.filter(**{f"{PLACE}__lte": limit}).values_list(USER, ITEM, EVENT, STRENGTH, TIME)
        for user_id, *row in columns.order_by(USER, PLACE):
            found[user_id].append(tuple(row))
    if len(use_case.sources) > 1:  # the newest of several tables together
        for user_rows in found.values():
            user_rows.sort(key=lambda row: (-microseconds(row[3]), row[0], row[1]))
            del user_rows[limit:]
    return found


def _counted(use_case: UseCase, user_ids: Collection[Any]) -> Counter[Any]:
    """Return {user id: distinct (item, event) pairs}; the database removes repetitions, nothing is held."""
    pairs = [rows.values_list(USER, ITEM, EVENT) for rows in _rows_of(use_case, user_ids)]
    distinct = pairs[0].union(*pairs[1:]) if len(pairs) > 1 else pairs[0].distinct()
    return Counter(user_id for user_id, _, _ in distinct.iterator(chunk_size=10_000))


def _rows_of(use_case: UseCase, user_ids: Collection[Any]) -> list[QuerySet[Any]]:
    events, wanted = tuple(use_case.weights), {f"{USER}__in": list(user_ids)}
    return [interaction_rows(source, events).filter(**wanted) for source in use_case.sources]
