"""Answers of the request log as lines of text, straight from PostgreSQL: one COPY, user by user.

To sort whole rows with their scores takes the database several times as long as to sort these lines.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from importlib.util import find_spec
from itertools import islice
from typing import Any

from django.conf import settings
from django.db.models import F, Func, TextField, Value
from django.db.models.functions import Cast, Coalesce, Collate

from recommender_app.measurement.answers import Group, ShownItems, rows_between
from recommender_app.measurement.row_values import Microseconds
from recommender_app.usecases.columns import can_copy, copied

WITHIN_GROUP = "\x1f"
COLUMNS = ("user", "moment", "reason", "latency_ms", "diversity", "group", "request_id", "items")
BLOCK_ANSWERS = 10_000
ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_ESCAPE = re.compile(r"\\(.)")


class Joined(Func):
    """The texts of columns, put together."""

    function = "CONCAT_WS"
    output_field = TextField()


def n_to_copy(use_case: str, since: datetime, until: datetime) -> int:
    """Return how many answers of a time ``blocks_of_answers`` can yield: 0 where it does not work."""
    rows = rows_between(use_case, since, until)
    return rows.count() if settings.USE_TZ and can_copy(rows) and find_spec("pyarrow") is not None else 0


@contextmanager
def blocks_of_answers(use_case: str, since: datetime, until: datetime) -> Iterator[Iterator[list[bytes]]]:
    """Give the answers of all users in a time: lines with COLUMNS, in the order of user and time.

    A block has all answers of each of its users. Between columns is a tab; ``moment`` is microseconds
    since 1970, unknown numbers are NaN, ``group`` has the fields of ``Group``, ``items`` is JSON.
    PostgreSQL's COPY has escaped the texts: see ``unescaped``.
    """
    rows = rows_between(use_case, since, until)
    in_order = rows.order_by(Collate("user_id", "C"), "created_at", "id").values_list(*_columns())
    with copied(in_order, as_lines=True) as lines:
        yield _of_whole_users(map(bytes, lines))


def unescaped(text: str) -> str:
    """Return a text as it was before COPY."""
    return _ESCAPE.sub(lambda found: ESCAPED[found[1]], text) if "\\" in text else text


@lru_cache
def group_of(text: str) -> Group:
    """Return the group of a line."""
    engine, version, experiment, phase, arm = unescaped(text).split(WITHIN_GROUP)
    return Group(engine, version, experiment, int(phase), arm)


def _columns() -> tuple[Any, ...]:
    nothing = Value(math.nan)
    group = (
        F("engine"),
        F("model_version"),
        Coalesce("experiment", Value("")),
        Coalesce("phase", 0),
        Coalesce("arm", Value("")),
    )
    return (
        F("user_id"),
        Microseconds("created_at"),
        F("fallback_reason"),
        Coalesce("latency_ms", nothing),
        Coalesce("diversity", nothing),
        Joined(Value(WITHIN_GROUP), *group),
        F("request_id"),
        Cast(ShownItems("results"), TextField()),
    )


def _of_whole_users(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines in blocks; the last user of a block is not in the next one."""
    first: list[bytes] = []
    while block := [*first, *islice(lines, BLOCK_ANSWERS)]:
        of_last_user = block[-1][: block[-1].index(b"\t") + 1]
        first = []
        for line in lines:
            if not line.startswith(of_last_user):
                first = [line]
                break
            block.append(line)
        yield block
