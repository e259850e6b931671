"""Onlookers: users who were shown something and did nothing. Most people are, on most days.

Their sums need the log alone. On PostgreSQL one COPY sends it, a message per user, and the sums are made
of whole lists of answers, without an object for each: a million answers in seconds. (The database
itself would take three times as long to take ten million shown items apart and count the different
ones of every user.) The sums are those of ``user_day``; elsewhere everybody goes that way.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import mul
from typing import Any, NamedTuple

from recommender_app.measurement.answer_texts import Row, answers_as_text
from recommender_app.measurement.answers import Group
from recommender_app.measurement.days import Day
from recommender_app.measurement.latency import as_json, bucket_of
from recommender_app.measurement.sessions import FOLLOWED, GAP
from recommender_app.measurement.shapes import BLANK, WholeDay
from recommender_app.measurement.writing import WaitingRows
from recommender_app.models import RollUp
from recommender_app.usecases.rows import microseconds

Key = tuple[str, ...]  # the columns of a row's group

MOMENT, GROUP = 0, 5  # places of columns; of the group, the first
OUTCOMES = ("seen", "clicks", "conversions", "likes", "dislikes", "ratings", "ratings_sum")
COLUMNS = (
    "use_case", "day", *Group._fields, "user_id", "requests", "fallbacks", "impressions", "sessions", "session_seconds",
    "latency_ms_sum", "latencies", "diversity_sum", "diversities", "distinct_items", *OUTCOMES,
)  # fmt: skip
GAP_MICROSECONDS = GAP.total_seconds() * 1e6


class OnlookerDay(NamedTuple):
    """One onlooker's day in one group; see ``RollUp`` for what is not said here.

    Attributes:
        first_at: the first answer of the day.
        items: different ones.
    """

    user_id: str
    group: Group
    first_at: datetime
    requests: int
    fallbacks: int
    impressions: int
    items: set[str]
    latency_ms_sum: float
    latencies: dict[int, int]
    diversity_sum: float
    diversities: int
    sessions: int
    session_seconds: float


def onlookers(use_case: str, day: Day, active: Container[str]) -> Iterator[OnlookerDay]:
    """Yield the sums of everybody who was answered on a day and is not ``active``, by user and group.

    Until the last one is taken, the connection answers no other query.
    """
    start, end = microseconds(day.start), microseconds(day.end)
    with answers_as_text(use_case, day.start - GAP, day.end + FOLLOWED) as rows:
        for user_id, answers in rows:
            if user_id not in active:
                yield from _of_user(user_id, answers, start, end)


def write_onlookers(use_case: str, day: Day, active: Container[str], whole: WholeDay) -> None:
    """Write the roll-ups of all onlookers of a day, and add them to the whole."""
    date = day.date.isoformat()
    with WaitingRows(RollUp, COLUMNS) as rows:
        for each in onlookers(use_case, day, active):
            whole.add(each.group, each.requests, each.latencies, each.items)
            whole.saw(each.first_at)
            rows.add((use_case, date, *each.group, each.user_id, *_values(each)))
        rows.insert()


def _values(each: OnlookerDay) -> tuple[Any, ...]:
    nothing_came_of_it = (0,) * len(OUTCOMES)
    return (
        each.requests,
        each.fallbacks,
        each.impressions,
        each.sessions,
        each.session_seconds,
        each.latency_ms_sum,
        json.dumps(as_json(each.latencies)),
        each.diversity_sum,
        each.diversities,
        len(each.items),
        *nothing_came_of_it,
    )


def _of_user(user_id: str, answers: Sequence[Row], start: int, end: int) -> Iterator[OnlookerDay]:
    moments = [int(answer[MOMENT]) for answer in answers]
    found: dict[Key, list[Row]] = {}
    for moment, answer in zip(moments, answers, strict=True):
        if start <= moment < end:
            found.setdefault(answer[GROUP:], []).append(answer)
    if not found:
        return
    visits = {} if user_id == BLANK else _visits(answers, moments, start, end)
    for key, rows in found.items():
        yield _sums(user_id, key, rows, *visits.get(key, (0, 0.0)))


def _sums(user_id: str, key: Key, rows: Sequence[Row], sessions: int, seconds: float) -> OnlookerDay:
    moments, reasons, times, diversities, lists, *_ = zip(*rows, strict=True)
    impressions, items = _shown(lists)
    milliseconds, latency_ms_sum = _finite(times)
    varied, diversity_sum = _finite(diversities)
    latencies: defaultdict[int, int] = defaultdict(int)
    for time in milliseconds:
        latencies[bucket_of(time)] += 1
    first_at = datetime.fromtimestamp(int(moments[0]) / 1e6, UTC)
    n_fallbacks = len(reasons) - reasons.count("")
    return OnlookerDay(
        user_id, _group(key), first_at, len(rows), n_fallbacks, impressions, items, latency_ms_sum, latencies,
        diversity_sum, len(varied), sessions, seconds,
    )  # fmt: skip


@lru_cache
def _group(key: Key) -> Group:
    engine, version, experiment, phase, arm = key
    return Group(engine, version, experiment, int(phase), arm)


def _shown(texts: Sequence[str]) -> tuple[int, set[str]]:
    """Return how many items were shown, each once per answer but blanks, and the different ones.

    What is no text is no item.
    """
    counts = Counter(texts)  # who comes back often sees the same list again
    lists = json.loads(f"[{','.join(counts)}]")
    if set().union(*[map(type, each) for each in lists]) <= {str}:
        different = list(map(set, lists))
    else:
        different = [{item for item in each if isinstance(item, str)} for each in lists]
    n_shown = sum(map(mul, map(len, different), counts.values()))
    items = set().union(*different)
    if BLANK in items:
        items.remove(BLANK)
        n_shown += sum(
            (each.count(BLANK) - 1) * n for each, n in zip(lists, counts.values(), strict=True) if BLANK in each
        )
    return n_shown, items


def _finite(texts: Sequence[str]) -> tuple[list[float], float]:
    """Return the finite numbers and their sum, made as ``user_day`` does: newer Pythons' ``sum`` rounds otherwise."""
    values = list(map(float, texts))
    total = _added(values)
    if not math.isfinite(total):
        values = list(filter(math.isfinite, values))
        total = _added(values)
    return values, total


def _added(values: Sequence[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


def _visits(answers: Sequence[Row], moments: Sequence[int], start: int, end: int) -> dict[Key, tuple[int, float]]:
    """Return {group: (visits, seconds)} of those that begin between ``start`` and ``end``; see ``sessions``."""
    found: dict[Key, tuple[int, float]] = {}
    ends = [place for place in range(1, len(moments)) if moments[place] - moments[place - 1] > GAP_MICROSECONDS]
    for first, beyond in zip([0, *ends], [*ends, len(moments)], strict=True):
        if start <= moments[first] < end:
            key = answers[first][GROUP:]
            visits, seconds = found.get(key, (0, 0.0))
            found[key] = visits + 1, seconds + (moments[beyond - 1] - moments[first]) / 1e6
    return found
