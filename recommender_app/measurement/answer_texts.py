"""Answers of the request log as texts, straight from PostgreSQL: one COPY, one message per user.

A message per answer would take Python longer to receive than all sums over it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.db.models import Aggregate, Count, F, Func, Max, Sum, TextField, Value
from django.db.models.functions import Cast, Coalesce, Collate

from recommender_app.measurement.answers import Microseconds, ShownItems, rows_between
from recommender_app.usecases.columns import can_copy, copied

BETWEEN_ANSWERS, BETWEEN_COLUMNS = "\x1e", "\x1f"  # separators of records and units: JSON escapes them
MOST_OF_ONE = 50_000  # answers of one user: PostgreSQL makes no text of a gigabyte

Row = tuple[str, ...]


class Joined(Func):
    """The texts of columns, put together."""

    function = "CONCAT_WS"
    output_field = TextField()


class InOrder(Aggregate):
    """All answers of a user as one text, the oldest first."""

    function = "STRING_AGG"
    template = "%(function)s(%(expressions)s ORDER BY created_at, id)"
    output_field = TextField()


def n_to_copy(use_case: str, since: datetime, until: datetime) -> int:
    """Return how many answers of a time ``answers_as_text`` can yield: 0 where it does not work."""
    rows = rows_between(use_case, since, until)
    if not settings.USE_TZ or not can_copy(rows):
        return 0
    found = rows.values("user_id").annotate(n=Count("pk")).aggregate(most=Max("n"), all=Sum("n"))
    return found["all"] or 0 if (found["most"] or 0) <= MOST_OF_ONE else 0


@contextmanager
def answers_as_text(use_case: str, since: datetime, until: datetime) -> Iterator[Iterator[tuple[str, list[Row]]]]:
    """Give (user, answers in the order of time) of all users in a time.

    Columns of an answer: microseconds since 1970, fallback reason, milliseconds, diversity (NaN =
    unknown), JSON list of items, and the fields of ``Group``.
    """
    nothing = Value(math.nan)
    columns = (
        Microseconds("created_at"),
        F("fallback_reason"),
        Coalesce("latency_ms", nothing),
        Coalesce("diversity", nothing),
        Cast(ShownItems("results"), TextField()),
        F("engine"),
        F("model_version"),
        Coalesce("experiment", Value("")),
        Coalesce("phase", 0),
        Coalesce("arm", Value("")),
    )
    rows = (
        rows_between(use_case, since, until)
        .values(who=Collate("user_id", "C"))
        .annotate(answers=InOrder(Joined(Value(BETWEEN_COLUMNS), *columns), Value(BETWEEN_ANSWERS)))
        .order_by("who")
        .values_list("who", "answers")
    )
    with copied(rows, as_text=True) as found:
        yield ((user_id, _apart(answers)) for user_id, answers in found)


def _apart(answers: str) -> list[Row]:
    return [tuple(answer.split(BETWEEN_COLUMNS)) for answer in answers.split(BETWEEN_ANSWERS)]
