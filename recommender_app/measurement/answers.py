"""Answers of the request log, user by user, in one pass and without their scores."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Func, JSONField, QuerySet
from django.db.models.functions import Collate

from recommender_app.measurement.days import aware, stored
from recommender_app.models import RequestLog
from recommender_app.registry.database import alias

FETCHED = 2_000  # rows at a time
CHUNK_USERS, CHUNK_ANSWERS = 1_000, 20_000


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
    request_id: UUID
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
    rows = RequestLog.objects.using(alias()).filter(
        use_case=use_case, created_at__gte=stored(since), created_at__lt=stored(until)
    )
    return rows.order_by().values_list(
        "user_id", "created_at", "request_id",
        "engine", "model_version", "experiment", "phase", "arm",
        "fallback_reason", "latency_ms", "diversity", ShownItems("results"),
    )  # fmt: skip


def _by_user() -> tuple[Any, ...]:
    """PostgreSQL compares bytes many times faster than the words of a language."""
    from django.db import connections

    if connections[alias()].vendor == "postgresql":
        return (Collate("user_id", "C"), "created_at", "id")
    return (F("user_id"), "created_at", "id")


def _answer(row: tuple[Any, ...]) -> LoggedAnswer:
    user_id, at, request_id, engine, version, experiment, phase, arm, reason, latency_ms, diversity, items = row
    group = Group(engine, version, experiment or "", phase or 0, arm or "")
    return LoggedAnswer(user_id, aware(at), request_id, group, bool(reason), latency_ms, diversity, _ids(items))


def _ids(items: Any) -> list[str]:
    if not isinstance(items, list):  # a row that something else wrote
        return []
    ids = (item.get("item") if isinstance(item, dict) else item for item in items)
    return [item for item in ids if isinstance(item, str)]
