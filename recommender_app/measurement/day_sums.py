"""The sums of many users' day at once: pure, on arrays. They are those of ``user_day`` without deeds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from recommender_app.measurement.answer_blocks import AnswerBlock
from recommender_app.measurement.latency import FIRST, N_BUCKETS, buckets_of
from recommender_app.measurement.sessions import GAP
from recommender_app.measurement.shapes import BLANK

GAP_MICROSECONDS = int(GAP.total_seconds() * 1e6)

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class DaySums:
    """Sums of a day: one row for each user and group; see ``RollUp`` for what is not said here.

    Attributes:
        first_at: the first answer, microseconds since 1970; None = none.
        user, group: (n_rows,) positions in the block's ``users`` and ``groups``.
        latencies: (row, bucket, answers), by row and bucket.
        distinct: (row, position in the block's ``items``), each once; without blanks.
    """

    first_at: int | None
    user: Numbers
    group: Numbers
    requests: Numbers
    fallbacks: Numbers
    impressions: Numbers
    sessions: Numbers
    session_seconds: NDArray[np.float64]
    latency_ms_sum: NDArray[np.float64]
    latencies: tuple[Numbers, Numbers, Numbers]
    diversity_sum: NDArray[np.float64]
    diversities: Numbers
    distinct: tuple[Numbers, Numbers]


def day_sums(block: AnswerBlock, is_wanted: NDArray[np.bool_], start: int, end: int) -> DaySums:
    """Return the sums of some users' day.

    Args:
        is_wanted: (n_users,), of which users.
        start, end: of the day, microseconds since 1970.
    """
    wanted = is_wanted[block.user]
    of_day = wanted & (start <= block.moment) & (block.moment < end)
    keys, rows = np.unique((block.user * len(block.groups) + block.group)[of_day], return_inverse=True)
    row = np.full(len(block.user), -1)
    row[of_day] = rows
    sums = _Rows(row, len(keys))
    user, group = np.divmod(keys, max(len(block.groups), 1))
    impressions, distinct = _shown(block, sums)
    sessions, session_seconds = _visits(block, sums, wanted, start, end)
    latency_ms_sum, _ = sums.of_known(block.latency_ms)
    diversity_sum, diversities = sums.of_known(block.diversity)
    first_at = int(block.moment[of_day].min()) if of_day.any() else None
    return DaySums(
        first_at, user, group, sums.count(of_day), sums.count(of_day & block.is_fallback), impressions, sessions,
        session_seconds, latency_ms_sum, _latencies(block, sums), diversity_sum, diversities, distinct,
    )  # fmt: skip


@dataclass(frozen=True)
class _Rows:
    """Adds up answers by row.

    Attributes:
        of_answer: (n_answers,) the row of each answer, -1 for none.
    """

    of_answer: Numbers
    n: int

    def count(self, chosen: NDArray[np.bool_] | Numbers) -> Numbers:
        """Return (n,) how many of the chosen answers each row has; all of them must have a row."""
        return np.bincount(self.of_answer[chosen], minlength=self.n)

    def add(self, chosen: NDArray[np.bool_] | Numbers, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (n,) the sums of the chosen answers' values, added one after the other."""
        return np.bincount(self.of_answer[chosen], weights=values, minlength=self.n).astype(np.float64, copy=False)

    def known(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell of which answers with a row a value is known."""
        return (self.of_answer >= 0) & np.isfinite(values)

    def of_known(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], Numbers]:
        """Return the sums of known values and how many there are."""
        known = self.known(values)
        return self.add(known, values[known]), self.count(known)


def _latencies(block: AnswerBlock, rows: _Rows) -> tuple[Numbers, Numbers, Numbers]:
    known = rows.known(block.latency_ms)
    buckets = buckets_of(block.latency_ms[known]) - FIRST
    pairs, counts = np.unique(rows.of_answer[known] * N_BUCKETS + buckets, return_counts=True)
    return pairs // N_BUCKETS, pairs % N_BUCKETS + FIRST, counts


def _shown(block: AnswerBlock, rows: _Rows) -> tuple[Numbers, tuple[Numbers, Numbers]]:
    """Return the impressions: each item once an answer, but each blank was one of its own; and the different items."""
    n_items = len(block.items)
    is_blank = np.array([item == BLANK for item in block.items], dtype=bool)[block.shown]
    counted = rows.of_answer[block.shown_by] >= 0
    named, blanks = counted & ~is_blank, block.shown_by[counted & is_blank]
    answer_items = _different(block.shown_by[named] * n_items + block.shown[named])
    answer, item = np.divmod(answer_items, max(n_items, 1))
    row_items = _different(rows.of_answer[answer] * n_items + item)
    row, of_row = np.divmod(row_items, max(n_items, 1))
    return rows.count(answer) + rows.count(blanks), (row, of_row)


def _different(values: Numbers) -> Numbers:
    """Return the different values in order, as ``np.unique`` does, which takes longer over many: it hashes them."""
    in_order = np.sort(values)
    is_new = np.ones(len(in_order), dtype=bool)
    is_new[1:] = in_order[1:] != in_order[:-1]
    return in_order[is_new]


def _visits(
    block: AnswerBlock, rows: _Rows, wanted: NDArray[np.bool_], start: int, end: int
) -> tuple[Numbers, NDArray[np.float64]]:
    """Return visits and their seconds, of those that begin on the day; see ``sessions``."""
    is_somebody = np.array([user != BLANK for user in block.users], dtype=bool)[block.user]
    answers = np.flatnonzero(wanted & is_somebody)
    user, moment = block.user[answers], block.moment[answers]
    begins = np.ones(len(answers), dtype=bool)
    begins[1:] = (user[1:] != user[:-1]) | (np.diff(moment) > GAP_MICROSECONDS)
    ends = np.roll(begins, -1)
    began, ended = moment[begins], moment[ends]
    of_day = (start <= began) & (began < end)
    first = answers[begins][of_day]
    return rows.count(first), rows.add(first, (ended - began)[of_day] / 1e6)


def histograms(sums: DaySums) -> Iterator[str]:
    """Yield the latencies of each row as JSON."""
    rows, buckets, counts = sums.latencies
    parts = [f'"{bucket}": {count}' for bucket, count in zip(buckets.tolist(), counts.tolist(), strict=True)]
    places = np.searchsorted(rows, np.arange(len(sums.user) + 1)).tolist()
    return ("{" + ", ".join(parts[first:beyond]) + "}" for first, beyond in pairwise(places))
