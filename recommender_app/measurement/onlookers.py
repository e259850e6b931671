"""Onlookers: users who were shown something and did nothing. Most people are, on most days.

Their sums need the log alone. On PostgreSQL one COPY sends it, and the sums are made of arrays,
without an object for each answer: a million answers in seconds. (The database itself would take
three times as long to take ten million shown items apart and count the different ones of every
user.) The sums are those of ``user_day``; elsewhere everybody goes that way.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Container, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import numpy as np

from recommender_app.measurement.answer_blocks import AnswerBlock, answer_block
from recommender_app.measurement.answer_texts import blocks_of_answers
from recommender_app.measurement.answers import Group
from recommender_app.measurement.day_sums import DaySums, day_sums, histograms
from recommender_app.measurement.days import Day
from recommender_app.measurement.kept_answers import KeptAnswers
from recommender_app.measurement.sessions import FOLLOWED, GAP
from recommender_app.measurement.shapes import WholeDay
from recommender_app.measurement.writing import WaitingRows
from recommender_app.models import RollUp
from recommender_app.usecases.rows import microseconds

OUTCOMES = ("seen", "clicks", "conversions", "likes", "dislikes", "ratings", "ratings_sum")
SUMS = (
    "requests", "fallbacks", "impressions", "sessions", "session_seconds", "latency_ms_sum", "diversity_sum",
    "diversities",
)  # fmt: skip
COLUMNS = ("use_case", "day", *Group._fields, "user_id", *SUMS, "latencies", "distinct_items", *OUTCOMES)


def write_onlookers(use_case: str, day: Day, active: Container[str], whole: WholeDay, kept: KeptAnswers) -> None:
    """Write the roll-ups of everybody who was answered on a day and is not ``active``.

    Args:
        whole: to which they are added.
        kept: which is given the answers of those who are.
    """
    date = day.date.isoformat()
    start, end = microseconds(day.start), microseconds(day.end)
    with WaitingRows(RollUp, COLUMNS) as rows:
        with blocks_of_answers(use_case, day.start - GAP, day.end + FOLLOWED) as blocks:
            for lines, block in _parsed(blocks):
                is_onlooker = np.array([user not in active for user in block.users], dtype=bool)
                kept.add(map(lines.__getitem__, np.flatnonzero(~is_onlooker[block.user]).tolist()))
                sums = day_sums(block, is_onlooker, start, end)
                _add(whole, block, sums)
                rows.add_all((use_case, date, *values) for values in _values(block, sums))
        rows.insert()


def _parsed(blocks: Iterable[list[bytes]]) -> Iterator[tuple[list[bytes], AnswerBlock]]:
    """Yield blocks and what is in them: parsed in a second thread, while this one receives the next lines."""
    with ThreadPoolExecutor(1, "roll-up") as parser:
        waiting: deque[tuple[list[bytes], Future[AnswerBlock]]] = deque()
        for lines in blocks:
            waiting.append((lines, parser.submit(answer_block, lines)))
            if len(waiting) > 1:
                ready, block = waiting.popleft()
                yield ready, block.result()
        for ready, block in waiting:
            yield ready, block.result()


def _values(block: AnswerBlock, sums: DaySums) -> Iterator[tuple[Any, ...]]:
    nothing_came_of_it = (0,) * len(OUTCOMES)
    distinct = np.bincount(sums.distinct[0], minlength=len(sums.user)).tolist()
    columns = [getattr(sums, name).tolist() for name in SUMS]
    keys = zip(sums.group.tolist(), sums.user.tolist(), strict=True)
    for (group, user), *values in zip(keys, *columns, histograms(sums), distinct, strict=True):
        yield (*block.groups[group], block.users[user], *values, *nothing_came_of_it)


def _add(whole: WholeDay, block: AnswerBlock, sums: DaySums) -> None:
    """Add a block's sums to the whole, group by group."""
    group_of_latency, group_of_item = sums.group[sums.latencies[0]], sums.group[sums.distinct[0]]
    for group in np.unique(sums.group):
        latencies: Counter[int] = Counter()
        here = group_of_latency == group
        for bucket, count in zip(sums.latencies[1][here].tolist(), sums.latencies[2][here].tolist(), strict=True):
            latencies[bucket] += count
        items = np.unique(sums.distinct[1][group_of_item == group]).tolist()
        requests = int(sums.requests[sums.group == group].sum())
        whole.add(block.groups[group], requests, latencies, map(block.items.__getitem__, items))
    whole.saw(None if sums.first_at is None else datetime.fromtimestamp(sums.first_at / 1e6, UTC))
