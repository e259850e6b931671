"""What a user has done, read at request time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import QuerySet
from django.utils import timezone
from numpy.typing import NDArray

from recommender_app.dataset.decay import decay
from recommender_app.dataset.interactions import MAX_ABSOLUTE_WEIGHT, MICROSECONDS_PER_DAY, InteractionTable
from recommender_app.dataset.pairs import weigh_pairs
from recommender_app.usecases.declaration import UseCase
from recommender_app.usecases.prepared import UserKey, prepared_rows
from recommender_app.usecases.rows import EVENT, ITEM, STRENGTH, TIME, USER, interaction_rows, microseconds


@dataclass(frozen=True)
class History:
    """The items a user met, most recently met first.

    Attributes:
        item_ids: n external ids in the host's own type, each once.
        weights: (n,) float32, one signed weight per item, negative = disliked.
        ages_days: (n,) float32, age of the last interaction with the item.
        interaction_count: distinct (item, event) pairs of the user, dislikes included, not capped.
        hidden_ids: external ids that ``hide_after`` hides, each once; None = the rows cannot tell.
    """

    item_ids: list[Any]
    weights: NDArray[np.float32]
    ages_days: NDArray[np.float32]
    interaction_count: int
    hidden_ids: tuple[Any, ...] | None = None


def load_history(use_case: UseCase, user: Any, limit: int, *, now: datetime | None = None) -> History:
    """Return the pairs of a user's most recent ``limit`` interactions.

    One query; a second one counts when the first was cut off at ``limit``. Weights are made as
    in the export (event weight x strength x decay, pairs combined by ``pair_weighting``), with
    ages counted from ``now``. Bad numbers of the host never fail a request: an interaction
    whose weight is not finite is skipped, one beyond the allowed weight is clipped.
    """
    rows = list(_newest_rows(use_case, user, limit))
    moment = microseconds(now or timezone.now())
    if use_case.sources and len(rows) >= limit:
        return history_of(use_case, rows, moment, count_interactions(use_case, user))
    history = history_of(use_case, rows, moment, len({(item, event) for item, event, _, _ in rows}))
    return replace(history, hidden_ids=_hidden_by(use_case, rows))


def count_interactions(use_case: UseCase, user: Any) -> int:
    """Return the distinct (item, event) pairs of a user, counted by the database."""
    pairs = [rows.values_list(ITEM, EVENT) for rows in _rows_of(use_case, user)]
    return pairs[0].union(*pairs[1:]).count() if len(pairs) > 1 else pairs[0].distinct().count()


def _hidden_by(use_case: UseCase, rows: Sequence[Any]) -> tuple[Any, ...] | None:
    """Return what all rows of a user hide; None where some event hides that has no weight: it is not among them."""
    hiding = frozenset(use_case.hide_after)
    if not hiding <= use_case.weights.keys() or any(event not in use_case.weights for _, event, _, _ in rows):
        return None  # the latter: a collation that takes other spellings for the same, which only the database knows
    return tuple(dict.fromkeys(item for item, event, _, _ in rows if event in hiding))


def _newest_rows(use_case: UseCase, user: Any, limit: int) -> Iterable[Any]:
    if not use_case.sources:
        return ()
    name = ("newest", tuple(use_case.weights), limit)
    rows = prepared_rows(use_case.sources, name, lambda: _newest(_rows_of_anybody(use_case), limit), user.pk)
    return _newest(_rows_of(use_case, user), limit) if rows is None else rows


def _newest(rows_of_sources: list[QuerySet[Any]], limit: int) -> QuerySet[Any]:
    sources = [rows.values_list(ITEM, EVENT, STRENGTH, TIME) for rows in rows_of_sources]
    rows = sources[0].union(*sources[1:], all=True) if len(sources) > 1 else sources[0]
    return rows.order_by(f"-{TIME}", ITEM, EVENT)[:limit]


def _rows_of_anybody(use_case: UseCase) -> list[QuerySet[Any]]:
    return [rows.filter(**{USER: UserKey(rows.query.annotations[USER].output_field)}) for rows in _all_rows(use_case)]


def _rows_of(use_case: UseCase, user: Any) -> list[QuerySet[Any]]:
    return [rows.filter(**{USER: user.pk}) for rows in _all_rows(use_case)]


def _all_rows(use_case: UseCase) -> list[QuerySet[Any]]:
    return [interaction_rows(source, tuple(use_case.weights)) for source in use_case.sources]


def history_of(use_case: UseCase, rows: Sequence[Any], now: int, count: int) -> History:
    """Return the history that rows make.

    Args:
        rows: (item id, event, strength, time) of one user, newest first.
        now: microseconds since 1970 UTC that ages are counted from.
        count: the interaction count.
    """
    places = {item: place for place, item in enumerate(dict.fromkeys(row[0] for row in rows))}
    item_rows = np.array([places[row[0]] for row in rows], dtype=np.int32)
    times = np.array([microseconds(row[3]) for row in rows], dtype=np.int64)
    ages = np.maximum(now - times, 0) / MICROSECONDS_PER_DAY
    weights = _weights(use_case, rows) * decay(ages, use_case.half_life_days)
    is_usable = np.isfinite(weights) & (weights != 0)
    clipped = np.clip(np.nan_to_num(weights), -MAX_ABSOLUTE_WEIGHT, MAX_ABSOLUTE_WEIGHT).astype(np.float32)
    zeros = np.zeros(len(rows), dtype=np.int32)
    table = InteractionTable(zeros, item_rows, zeros.astype(np.uint8), clipped, times, ("any",)).select(is_usable)
    pairs = weigh_pairs(table, (1, len(places)), use_case.pair_weighting)
    youngest = np.full(len(places), np.inf)
    np.minimum.at(youngest, table.item_rows, ages[is_usable])
    ids = list(places)
    kept = pairs.indices
    return History([ids[place] for place in kept], pairs.data, youngest[kept].astype(np.float32), count)


def _weights(use_case: UseCase, rows: Sequence[Any]) -> NDArray[np.float64]:
    of_events = [use_case.weights.get(row[1], 0.0) for row in rows]
    strengths = [np.nan if row[2] is None else row[2] for row in rows]
    return np.array(of_events, dtype=np.float64) * np.array(strengths, dtype=np.float64)
