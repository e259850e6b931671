"""Answers of the request log, user by user, in one pass and without their scores."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connections
from django.db.models import BigIntegerField, F, Func, JSONField, QuerySet
from django.db.models.functions import Collate

from recommender_app.measurement.days import aware, stored
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


class WholeRow(Func):
    """All columns as one JSON list: a driver takes many times longer for a dozen values than for one."""

    function = "JSON_BUILD_ARRAY"
    template = "%(function)s(%(expressions)s)::text"
    output_field = JSONField()


class Microseconds(Func):
    """A moment as microseconds since 1970."""

    template = "(EXTRACT(EPOCH FROM %(expressions)s) * 1000000)::bigint"
    arity = 1
    output_field = BigIntegerField()


def answers_by_user(
    use_case: str, since: datetime, until: datetime, user_ids: Collection[str] | None = None
) -> Iterator[UserAnswers]:
    """Yield the answers of a time, of up to CHUNK_USERS users at once; all answers of a user come together.

    Memory holds one chunk; a user with very many answers is a chunk of their own.

    Args:
        user_ids: of these users only.
    """
    rows = _answers(use_case, since, until).order_by(*_by_user())
    if user_ids is not None:
        rows = rows.filter(user_id__in=user_ids)
    found = map(_answer, rows.iterator(chunk_size=FETCHED))
    chunk: UserAnswers = {}
    n_answers = 0
    for user_id, answers in groupby(found, key=lambda answer: answer.user_id):
        chunk[user_id] = list(answers)
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
    columns = ("user_id", "created_at", "request_id", *names, ShownItems("results"))
    if _is_postgresql() and settings.USE_TZ:
        one_value = WholeRow(*(Microseconds(name) if name == "created_at" else name for name in columns))
        return rows.values_list(one_value, flat=True)
    return rows.values_list(*columns)


def rows_between(use_case: str, since: datetime, until: datetime) -> QuerySet[RequestLog]:
    """Return the rows of the log of a time, in no order."""
    rows = RequestLog.objects.using(alias()).filter(use_case=use_case)
    return rows.filter(created_at__gte=stored(since), created_at__lt=stored(until)).order_by()


def _by_user() -> tuple[Any, ...]:
    """PostgreSQL compares bytes many times faster than the words of a language."""
    return (Collate("user_id", "C") if _is_postgresql() else F("user_id"), "created_at", "id")


def _is_postgresql() -> bool:
    return connections[alias()].vendor == "postgresql"


def _answer(row: Sequence[Any]) -> LoggedAnswer:
    user_id, at, request_id, engine, version, experiment, phase, arm, reason, latency_ms, diversity, items = row
    moment = datetime.fromtimestamp(at / 1e6, UTC) if isinstance(at, int) else aware(at)
    group = Group(engine, version, experiment or "", phase or 0, arm or "")
    numbers = _number(latency_ms), _number(diversity)
    return LoggedAnswer(user_id, moment, str(request_id), group, bool(reason), *numbers, _ids(items))


def _number(value: Any) -> float | None:
    """Return a finite number; NaN and infinities, which no sum survives, as None."""
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def _ids(items: Any) -> list[str]:
    if not isinstance(items, list):  # a row that something else wrote
        return []
    if items and isinstance(items[0], dict):
        items = [item.get("item") for item in items if isinstance(item, dict)]
    if set(map(type, items)) <= {str}:
        return items
    return [item for item in items if isinstance(item, str)]
