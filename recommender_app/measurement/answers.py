"""Answers of the request log, user by user, in one pass and without their scores."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from django.db.models import F, Func, JSONField, QuerySet
from django.db.models.functions import Collate

from recommender_app.measurement.days import aware, stored
from recommender_app.measurement.row_values import is_postgresql, moment_of, values_of
from recommender_app.models import RequestLog
from recommender_app.registry.database import alias

FETCHED = 2_000  # rows at a time
CHUNK_USERS, CHUNK_ANSWERS = 1_000, 10_000


class Group(NamedTuple):
    """What answered: the key of a roll-up within a use case and a day."""

    engine: str
    model_version: str
    experiment: str
    phase: int
    arm: str


class LoggedAnswer(NamedTuple):
    """One answer, as far as it is measured."""

    user_id: str
    at: datetime
    request_id: str
    group: Group
    is_fallback: bool
    latency_ms: float | None
    diversity: float | None
    items: list[str]


UserAnswers = dict[str, list[LoggedAnswer]]  # external id of the user -> answers


class ShownItems(Func):
    """The ids of the items of ``results`` as a JSON list; elsewhere than named here, ``results`` themselves."""

    template = "%(expressions)s"
    arity = 1
    output_field = JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Leave the scores in the database: a tenth is to be sorted, sent and read."""
        return self.as_sql(compiler, connection, template="jsonb_path_query_array(%(expressions)s, '$[*].item')")

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The same in SQLite's words."""
        places = "JSON_EACH(%(expressions)s) WHERE type = 'object'"
        shown = f"(SELECT JSON_GROUP_ARRAY(JSON_EXTRACT(value, '$.item')) FROM {places})"  # noqa: S608  no values in it
        return self.as_sql(compiler, connection, template=shown)


def answers_by_user(use_case: str, since: datetime, until: datetime) -> Iterator[UserAnswers]:
    """Yield the answers of a time, of up to CHUNK_USERS users at once; all answers of a user come together.

    Memory holds one chunk; a user with very many answers is a chunk of their own.
    """
    rows = _answers(use_case, since, until).order_by(*_by_user())
    return in_chunks(map(_answer, rows.iterator(chunk_size=FETCHED)))


def in_chunks(answers: Iterable[LoggedAnswer]) -> Iterator[UserAnswers]:
    """Yield answers in the order of user and time as ``answers_by_user`` does."""
    chunk: UserAnswers = {}
    n_answers = 0
    for user_id, of_user in groupby(answers, key=lambda answer: answer.user_id):
        chunk[user_id] = list(of_user)
        n_answers += len(chunk[user_id])
        if len(chunk) >= CHUNK_USERS or n_answers >= CHUNK_ANSWERS:
            yield chunk
            chunk, n_answers = {}, 0
    if chunk:
        yield chunk


def answers_of_users(use_case: str, user_ids: Collection[str], since: datetime, until: datetime) -> UserAnswers:
    """Return the answers of some users in a time."""
    found: UserAnswers = {}
    if user_ids and since < until:
        for row in _answers(use_case, since, until).filter(user_id__in=user_ids).iterator(chunk_size=FETCHED):
            answer = _answer(row)
            found.setdefault(answer.user_id, []).append(answer)
    return found


def oldest_answer_at() -> datetime | None:
    """Return the time of the oldest row of the whole request log."""
    moment = RequestLog.objects.using(alias()).order_by("created_at").values_list("created_at", flat=True).first()
    return None if moment is None else aware(moment)


def _answers(use_case: str, since: datetime, until: datetime) -> QuerySet[Any, Any]:
    rows = rows_between(use_case, since, until)
    names = ("engine", "model_version", "experiment", "phase", "arm", "fallback_reason", "latency_ms", "diversity")
    return values_of(rows, "created_at", "user_id", "request_id", *names, ShownItems("results"))


def rows_between(use_case: str, since: datetime, until: datetime) -> QuerySet[RequestLog]:
    """Return the rows of the log of a time, in no order."""
    rows = RequestLog.objects.using(alias()).filter(use_case=use_case)
    return rows.filter(created_at__gte=stored(since), created_at__lt=stored(until)).order_by()


def _by_user() -> tuple[Any, ...]:
    """PostgreSQL compares bytes many times faster than the words of a language."""
    return (Collate("user_id", "C") if is_postgresql() else F("user_id"), "created_at", "id")


def _answer(row: Sequence[Any]) -> LoggedAnswer:
    at, user_id, request_id, engine, version, experiment, phase, arm, reason, latency_ms, diversity, items = row
    group = Group(engine, version, experiment or "", phase or 0, arm or "")
    numbers = finite_or_none(latency_ms), finite_or_none(diversity)
    return LoggedAnswer(user_id, moment_of(at), str(request_id), group, bool(reason), *numbers, _ids(items))


def finite_or_none(value: Any) -> float | None:
    """Return a finite number; NaN and infinities, which no sum survives, as None."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def only_texts(items: list[Any]) -> list[str]:
    """Return the items that are text; what is none is no item."""
    if set(map(type, items)) <= {str}:
        return items
    return [item for item in items if isinstance(item, str)]


def _ids(items: Any) -> list[str]:
    if not isinstance(items, list):  # a row that something else wrote
        return []
    if items and isinstance(items[0], dict):
        items = [item.get("item") for item in items if isinstance(item, dict)]
    return only_texts(items)
